package sim

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
)

// WriteInventory writes the fleet as an inventory, format "csv" or "yaml", with the passwords in it: give the file mode
// 0600.
func (f *Fleet) WriteInventory(w io.Writer, format string) error {
	var b bytes.Buffer
	switch format {
	case "csv":
		f.csv(&b)
	case "yaml":
		f.yaml(&b)
	default:
		return fmt.Errorf("sim: inventory format %q: there are csv and yaml", format)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("sim: write inventory: %w", err)
	}
	return nil
}

func (f *Fleet) csv(b *bytes.Buffer) {
	w := csv.NewWriter(b)
	w.Write([]string{"name", "address", "port", "platform", "group", "username", "password", "enable"})
	for _, d := range f.devices {
		w.Write([]string{
			d.name, d.address.IP.String(), strconv.Itoa(d.address.Port), d.script.recording.Platform, d.group,
			f.config.Username, f.config.Password, f.enable(d),
		})
	}
	w.Flush()
}

func (f *Fleet) yaml(b *bytes.Buffer) {
	b.WriteString("devices:\n")
	for _, d := range f.devices {
		fmt.Fprintf(b, "  - name: %s\n    address: %q\n    port: %d\n    platform: %s\n    group: %s\n    username: %q\n    password: %q\n",
			d.name, d.address.IP.String(), d.address.Port, d.script.recording.Platform, d.group, f.config.Username, f.config.Password)
		if enable := f.enable(d); enable != "" {
			fmt.Fprintf(b, "    enable: %q\n", enable)
		}
	}
}

// enable is the enable password of a device that asks for one.
func (f *Fleet) enable(d *device) string {
	if !d.script.asks {
		return ""
	}
	return f.config.Enable
}
