package session

import "golang.org/x/crypto/ssh"

// RecordedKeys returns the host keys that a known_hosts file has for addr, without those it marks as revoked.
func RecordedKeys(file, addr string) ([]ssh.PublicKey, error) {
	k := &knownHosts{files: []string{file}}
	if err := k.load(); err != nil {
		return nil, err
	}
	var keys []ssh.PublicKey
	for _, e := range k.find(hostName(addr)) {
		key, err := ssh.ParsePublicKey([]byte(e.key))
		if err == nil && !e.revoked {
			keys = append(keys, key)
		}
	}
	return keys, nil
}
