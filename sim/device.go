package sim

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"

	"github.com/musternet/muster/platform"
)

// Device is one device of a fleet, as an inventory would name it.
type Device struct {
	Name      string // "sim-0001", also in its prompt and configuration
	Address   string // without the port
	Port      int
	Platform  string
	Group     string // "site-a" and so on
	Fault     string // name of a Kind; empty: healthy
	HostKey   string // fingerprint, "SHA256:..."
	Recording *platform.Recording
}

// Devices returns the devices in the order of their names.
func (f *Fleet) Devices() []Device {
	devices := make([]Device, len(f.devices))
	for i, d := range f.devices {
		devices[i] = d.public()
	}
	return devices
}

// device is one simulated device. What is not guarded is written before the fleet serves.
type device struct {
	index    int
	name     string
	group    string
	seed     uint64
	script   *script
	fault    string
	grown    int // sections that its configuration is grown by
	address  *net.TCPAddr
	listener net.Listener // nil: nothing listens

	signer  func() ssh.Signer // made when it is needed first
	now     atomic.Pointer[edits]
	fetches atomic.Uint64
	conns   atomic.Int64 // ever accepted
	shown   atomic.Int64 // host keys, with faultKey
	logins  atomic.Int64 // at once
}

func newDevice(seed uint64, index, devices int, s *script, configBytes int) *device {
	d := &device{
		index:  index,
		name:   fmt.Sprintf("sim-%04d", index+1),
		group:  site(index, devices),
		seed:   seed,
		script: s,
	}
	d.signer = sync.OnceValue(func() ssh.Signer { return d.key(0) })
	d.now.Store(&edits{})
	d.grown = d.sections(configBytes - s.wantBytes)
	return d
}

func (d *device) public() Device {
	return Device{
		Name: d.name, Address: d.address.IP.String(), Port: d.address.Port, Platform: d.script.recording.Platform, Group: d.group,
		Fault: d.fault, HostKey: ssh.FingerprintSHA256(d.signer().PublicKey()), Recording: d.script.recording,
	}
}

// site spreads a fleet over up to 26 sites, ten devices or more each.
func site(index, devices int) string {
	sites := min(max(devices/10, 1), 26)
	return "site-" + string(rune('a'+index*sites/devices))
}

// key derives the n-th host key of the device. Any but the first is for a device that shows another one each time.
func (d *device) key(n uint64) ssh.Signer {
	sum := derive(d.seed, fmt.Sprintf("host key %d of %d", n, d.index))
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(sum[:]))
	if err != nil {
		panic(err) // an ed25519 key of 32 bytes is always one
	}
	return signer
}

func derive(seed uint64, what string) [sha256.Size]byte {
	return sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, seed), what...))
}

// generated derives a password that a person can type.
func generated(seed uint64, what string) string {
	sum := derive(seed, what)
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
}
