package platform_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster/platform"
)

func TestFormatKeepsWhatATextFileWouldNot(t *testing.T) {
	t.Parallel()
	want := &platform.Recording{
		Platform: "cisco_ios", Origin: "written for this test", Host: "a\tb", Exec: true, Prompt: "a> ",
		Banner: "-- not a block --\n", Motd: "no newline",
		Pager: &platform.RecordedPager{Prompt: " --More-- ", Erase: "\b\b\r", Lines: 3, Off: "off"},
		Steps: []platform.Step{
			{Send: "", Output: "\n"},
			{Send: "show x | include -- y --", Output: "blank at the end \n\\back\n\xff\x1b[K\n", Stderr: "warning", Exit: 3},
			{Send: `"quoted" `, Ask: "Password: ", Prompt: "a# ", Closes: true},
		},
		Want: platform.Want{
			Config: "x\n", Masked: "y\n", Hostname: "a", Model: "b", Version: " c", Serial: "d",
			Secrets: []string{"s"}, Match: []string{"a> ", ""}, NoMatch: []string{"\\"}, Unchanged: []string{"-- > --"},
		},
	}
	got, err := platform.ParseRecording(want.Format())
	if err != nil {
		t.Fatalf("%v in\n%s", err, want.Format())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("after Format and ParseRecording (-want +got):\n%s", diff)
	}
}

func TestParseRecordingSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"platfrom: x\n":               `parse recording: line 1: unknown key, or a second time: "platfrom"`,
		"\nhost: a\nhost: b\n":        `parse recording: line 3: unknown key, or a second time: "host"`,
		"exec: perhaps\n":             `parse recording: line 1: exec: yes or no`,
		"prompt: \"x\n":               `parse recording: line 1: prompt: bad quoted value`,
		"-- prompt x --\n":            `parse recording: line 1: "prompt" stands before the first step, or is no block`,
		"-- > x --\n-- exit x --\n":   `parse recording: line 2: exit: not a number`,
		"-- > x --\n\n-- ecxit --\n":  `parse recording: line 3: unknown block "ecxit"`,
		"-- want sceret --\n":         `parse recording: line 1: unknown block "want sceret"`,
		"-- motd --\n\\x\n":           `parse recording: line 2: a line that begins with a backslash must be quoted: \"..."`,
		"-- want facts --\nos: x\n":   `parse recording: line 1: facts: unknown key, or a second time: "os"`,
		"-- motd --\n\xff\n":          `parse recording: not UTF-8`,
		"-- motd --\nx\n\\\"no end\n": `parse recording: line 3: bad quoted line`,
	} {
		_, err := platform.ParseRecording([]byte(text))
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestEveryRecordingIsReadAndSaysWhereItComesFrom(t *testing.T) {
	t.Parallel()
	recordings := platform.Recordings()
	if len(recordings) == 0 {
		t.Fatal("no recordings")
	}
	for _, r := range recordings {
		if r.Platform == "" || r.Hardware == "" || r.Version == "" || r.Origin == "" || len(r.Steps) == 0 {
			t.Errorf("%s %s %s: platform, hardware, version, origin and steps must be there", r.Platform, r.Hardware, r.Version)
		}
		again, err := platform.ParseRecording(r.Format())
		if diff := cmp.Diff(r, again); err != nil || diff != "" {
			t.Errorf("%s: Format changes it: %v\n%s", r.Hardware, err, diff)
		}
	}
}

func FuzzParseRecording(f *testing.F) {
	for _, r := range platform.Recordings() {
		if len(r.Format()) < 16<<10 {
			f.Add(r.Format())
		}
	}
	f.Add([]byte("host: x\n-- > a --\n\\\"\\x00\"\n\\\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := platform.ParseRecording(data)
		if err != nil {
			return
		}
		again, err := platform.ParseRecording(r.Format())
		if diff := cmp.Diff(r, again); err != nil || diff != "" {
			t.Fatalf("Format changes it: %v\n%s", err, diff)
		}
	})
}
