package muster

import "slices"

// Code describes one failure code: a stable word that tables, JSON, metrics and docs/reference/failures.md share.
type Code struct {
	Name    string
	Stages  []Stage // where it occurs
	Meaning string  // one sentence
	Try     string  // what to try, one sentence
}

// codes is the table of all failure codes, sorted by name.
var codes = []Code{
	{"auth-rejected", []Stage{StageAuth}, "The device refused every credential that was offered to it.", "check user and password or key with: muster device test DEVICE"},
	{"canceled", []Stage{StageCanceled}, "The run was interrupted before this device was finished.", "run again for the rest: muster backup @failed"},
	{"command-rejected", []Stage{StageCommand}, "The device answered a command with an error of its own.", "check that the platform is right and that the user may run the command"},
	{"connection-lost", []Stage{StageConnect, StageHandshake, StageAuth, StagePrompt, StageCommand, StageIncomplete}, "The device closed or reset the connection before it was done.", "try again; if it stays, look at the device's session limits and log"},
	{"disk-full", []Stage{StageStore}, "There is no space left where the data directory is.", "free some space and run again; nothing that was stored before is lost"},
	{"empty", []Stage{StageIncomplete}, "The device printed no configuration at all.", "check that the user may see the configuration"},
	{"enable-rejected", []Stage{StagePrompt}, "The device did not accept the enable password.", "set the enable secret of this device's credential"},
	{"flood", []Stage{StagePrompt, StageCommand}, "The device sent more bytes than the limit allows.", "raise the byte limit if the configuration really is that large"},
	{"hostkey-changed", []Stage{StageHostKey}, "The device shows another host key than the one on record.", "if the device was replaced, accept its new key with: muster device trust DEVICE"},
	{"hostkey-unknown", []Stage{StageHostKey}, "No host key of this device is on record and new ones are not accepted.", "accept its key with: muster device trust DEVICE"},
	{"internal", []Stage{StageResolve, StageConnect, StageHandshake, StageHostKey, StageAuth, StagePrompt, StageCommand, StageIncomplete, StageStore}, "A mistake in muster itself; the other devices went on.", "report it with the text of the error"},
	{"locked-out", []Stage{StageAuth}, "The credential was suspended for this run because too many devices rejected it and none accepted it.", "correct the credential, then run again; nothing was tried on this device, so no account was locked"},
	{"login-refused", []Stage{StageAuth, StagePrompt}, "The device refused the login for load or for its session limit.", "close idle sessions on the device, or lower --limit"},
	{"mute", []Stage{StageHandshake}, "The port is open, but nothing was said there within the time for it.", "check that the service behind the port is well; a device that is short of memory or sessions often ends like this"},
	{"no-auth-method", []Stage{StageAuth}, "The device takes only ways to log in for which there is no secret.", "give this device a credential of the kind it names"},
	{"no-common-cipher", []Stage{StageHandshake}, "Device and muster share no cipher.", "legacy_crypto: true for this device (weak: it is recorded and shown)"},
	{"no-common-hostkey", []Stage{StageHandshake}, "Device and muster share no host-key algorithm.", "legacy_crypto: true for this device (weak: it is recorded and shown)"},
	{"no-common-kex", []Stage{StageHandshake}, "Device and muster share no key exchange.", "legacy_crypto: true for this device (weak: it is recorded and shown)"},
	{"no-common-mac", []Stage{StageHandshake}, "Device and muster share no message authentication code.", "legacy_crypto: true for this device (weak: it is recorded and shown)"},
	{"no-prompt", []Stage{StagePrompt}, "Nothing that looks like a prompt came after the login.", "check the platform; see the transcript with: muster device test DEVICE"},
	{"no-reply", []Stage{StageConnect}, "No echo reply came within the time for it.", "check that the device is well, and that nothing in between drops pings"},
	{"not-ssh", []Stage{StageHandshake}, "What answers on the port does not speak SSH.", "check port and transport of this device"},
	{"password-expired", []Stage{StageAuth, StagePrompt}, "The device asks for a new password before it lets the user in.", "log in by hand and change the password"},
	{"platform-unknown", []Stage{StagePrompt}, "No platform fits what the device shows of itself.", "name one: muster list platforms"},
	{"refused", []Stage{StageConnect}, "Nothing listens on that address and port.", "check address and port, and that SSH is switched on"},
	{"secret-missing", []Stage{StageAuth}, "A secret that the device's credential refers to could not be read.", "check the reference of the credential"},
	{"send-failed", []Stage{StageConnect, StageHandshake, StageCommand}, "This machine could not ask: it lacks a descriptor, a buffer, an address or a permission; that says nothing of the device.", "mend what the error names, such as ulimit -n; see: muster doctor"},
	{"store-failed", []Stage{StageStore}, "The configuration was read but could not be stored.", "see: muster doctor"},
	{"timeout", []Stage{StageResolve, StageConnect, StageHandshake, StageAuth, StagePrompt, StageCommand}, "The device did not answer within the time of this step.", "check that the device is well; --timeout gives it longer in all"},
	{"truncated", []Stage{StageIncomplete}, "The output ended before the mark that ends a complete configuration.", "try again; what was stored before stays"},
	{"unknown-host", []Stage{StageResolve}, "The name does not resolve to an address.", "check the name, or give the device an address"},
	{"unreachable", []Stage{StageConnect}, "There is no way to that address.", "check address and routing"},
	{"wrong-answer", []Stage{StageHandshake, StageCommand}, "It answered, but not as it should.", "look at what it said, then at the service or at what is expected of it"},
}

// Codes returns the table of all failure codes, sorted by name.
func Codes() []Code { return slices.Clone(codes) }

// LookupCode returns the entry of one code.
func LookupCode(name string) (Code, bool) {
	i := slices.IndexFunc(codes, func(c Code) bool { return c.Name == name })
	if i < 0 {
		return Code{}, false
	}
	return codes[i], true
}
