package sim

import (
	"io"
	"sync"

	"golang.org/x/crypto/ssh"
)

// hostKey returns the key that the device shows on one connection.
func (d *device) hostKey() ssh.Signer {
	if d.fault != faultKey {
		return d.signer()
	}
	return turning{d.signer(), sync.OnceValue(func() ssh.Signer {
		if n := d.shown.Add(1); n > 1 {
			return d.key(uint64(n))
		}
		return d.signer()
	})}
}

// turning is a host key that is another one each time it is shown. Which one is settled in the key exchange and not
// before: who reads the identification line and goes has seen no key, and what others see does not depend on him.
type turning struct {
	ssh.Signer // of the kind that all of them are
	now        func() ssh.Signer
}

// PublicKey returns a key that is not settled yet.
func (t turning) PublicKey() ssh.PublicKey { return turningPublic{t.Signer.PublicKey(), t.now} }

// Sign signs with the key that is shown.
func (t turning) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return t.now().Sign(rand, data)
}

type turningPublic struct {
	ssh.PublicKey
	now func() ssh.Signer
}

// Marshal settles which key is shown.
func (p turningPublic) Marshal() []byte { return p.now().PublicKey().Marshal() }
