package platform

// Recording is a conversation with one device, as a file under testdata/<platform>/. The tests of the platform replay
// it, and the simulated fleet of package sim serves it.
type Recording struct {
	Platform string
	Hardware string
	Version  string
	Origin   string // "recorded from FRR 8.4.4 (Debian)" or "written after public documents: ..."
	Host     string // the host name as it stands in prompts and configuration
	Exec     bool   // served as exec requests; else as a shell
	Banner   string // SSH authentication banner
	Motd     string // what comes between login and first prompt
	Prompt   string // the first prompt, without newline
	Pager    *RecordedPager
	Steps    []Step // looked up by Send; where one command stands several times, in order, the last one staying
	Want     Want
}

// RecordedPager is how the device pages an output longer than its screen until a command switches it off.
type RecordedPager struct {
	Prompt string // " --More-- "
	Erase  string // what the device sends to wipe it after the key
	Lines  int
	Off    string // the command that switches it off; empty: cannot be
}

// Step is one command and what it does.
type Step struct {
	Send   string
	Output string // between echo and next prompt, LF lines; with Exec: standard output
	Stderr string // with Exec
	Exit   int    // with Exec
	Ask    string // the device asks this ("Password: ") and reads one line without echo before Output
	Prompt string // the prompt from here on; empty: unchanged
	Closes bool   // the device ends the session (exit, logout)
}

// Want is what must come of the recording.
type Want struct {
	Config                  string // the exact text that is stored
	Masked                  string // the same with secrets masked
	Hostname, Model, Serial string
	Version                 string
	Secrets                 []string // strings of Config that must not appear in Masked
	Match                   []string // lines that are prompts
	NoMatch                 []string // lines that are not
	Unchanged               []string // lines that, changed or gone, are no change
}
