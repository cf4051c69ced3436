package settings

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Serve is how `muster serve` is reached.
type Serve struct {
	Listen Listen `yaml:"listen" doc:"address and port, of this machine alone as long as nobody has to log in; absent: 127.0.0.1:8970"`
}

// DefaultListen is where `muster serve` listens when nothing is said.
const DefaultListen Listen = "127.0.0.1:8970"

// Listen is an address and a port to listen on. The address is one that only this machine reaches.
type Listen string

// UnmarshalText reads 127.0.0.1:8970, [::1]:8970 or localhost:8970. No name is looked up: localhost is 127.0.0.1.
func (l *Listen) UnmarshalText(text []byte) error {
	s := string(text)
	if port, ok := strings.CutPrefix(s, "localhost:"); ok {
		s = "127.0.0.1:" + port
	}
	if strings.HasPrefix(s, ":") {
		s = "0.0.0.0" + s // what it means elsewhere
	}
	addr, err := netip.ParseAddrPort(s)
	if err != nil {
		return errors.New("must be an address and a port, such as 127.0.0.1:8970 or [::1]:8970")
	}
	if !addr.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("%q can be reached from outside: until there is a log-in muster listens on 127.0.0.1 or [::1] alone", text)
	}
	*l = Listen(addr.String())
	return nil
}

// History is how long measured values are kept.
type History struct {
	Retention Span  `yaml:"retention" doc:"what is older is forgotten; absent: 90d"`
	MaxSize   Bytes `yaml:"max_size" doc:"the oldest is forgotten where all takes more room, such as 10GiB; absent: as much as there is"`
}
