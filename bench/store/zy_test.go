package store_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"
)

func stream(devices []device, from string) []byte {
	var w bytes.Buffer
	for _, d := range devices {
		msg := d.name + ": changed\n"
		fmt.Fprintf(&w, "commit refs/heads/main\ncommitter muster <muster@localhost> 1700000000 +0000\ndata %d\n%s%s", len(msg), msg, from)
		fmt.Fprintf(&w, "M 100644 inline %s/%s.cfg\ndata %d\n", d.group, d.name, len(d.text))
		w.Write(d.text)
		w.WriteString("\n")
		from = ""
	}
	return w.Bytes()
}

func TestZY(t *testing.T) {
	for _, groups := range []int{100, 1} {
		devices := makeFleet(groups)
		next := changed(devices, 1)
		var diff []device
		for i := range next {
			if &next[i].text[0] != &devices[i].text[0] {
				diff = append(diff, next[i])
			}
		}
		os.WriteFile(fmt.Sprintf("/tmp/s%d-a", groups), stream(devices, ""), 0o600)
		os.WriteFile(fmt.Sprintf("/tmp/s%d-c", groups), stream(diff, "from refs/heads/main^0\n"), 0o600)
	}
}
