package logwatch

import (
	"bytes"

	"github.com/musternet/muster"
	"github.com/musternet/muster/platform"
)

// commandMarks are what stands in front of a command that a device has logged: IOS and NX-OS, ASA, Huawei, and what others write.
var commandMarks = [][]byte{
	[]byte("logged command:"), []byte("executed the '"), []byte("executed '"), []byte("Command is \""), []byte("Command=\""),
	[]byte("command \""), []byte("cmd=\""), []byte("]@(config)# "), []byte("COMMAND="),
}

// mask masks the secrets of a command that a device has logged: what people are told of goes to places that nobody here knows.
func mask(l *muster.LogLine, def *platform.Def) {
	masked := platform.MaskAny
	if def != nil {
		masked = def.Mask
	}
	for _, text := range []*string{&l.Message, &l.Raw} {
		whole := []byte(*text)
		for _, mark := range commandMarks {
			i := bytes.Index(whole, mark)
			if i < 0 {
				continue
			}
			i += len(mark)
			command, rest := whole[i:], []byte(nil)
			if quoted := mark[len(mark)-1]; quoted == '"' || quoted == '\'' {
				if end := bytes.LastIndexByte(command, quoted); end >= 0 {
					command, rest = command[:end], command[end:]
				}
			}
			*text = string(whole[:i]) + string(bytes.TrimSuffix(masked(append(bytes.Clone(command), '\n')), []byte("\n"))) + string(rest)
			break
		}
	}
	if l.RawBytes != nil {
		l.RawBytes = []byte(l.Raw)
	}
}
