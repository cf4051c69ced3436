package muster

// Device is one router, switch, firewall or server, as an inventory names it. It holds no secret:
// Credentials are names that a keyring resolves at the moment of use.
type Device struct {
	Name         string            `json:"name"`                    // unique in the inventory, and the name of its history
	Address      string            `json:"address"`                 // host name or IP address, without a port
	Port         int               `json:"port,omitempty"`          // 0: the transport's own (22, or 23 for telnet)
	Transport    string            `json:"transport,omitempty"`     // "ssh" (also when empty) or "telnet"
	Platform     string            `json:"platform,omitempty"`      // canonical platform name; empty: detected once and remembered
	Group        string            `json:"group,omitempty"`         // empty: the group "default"
	Tags         map[string]string `json:"tags,omitempty"`          // what selectors such as site=ams look at
	Username     string            `json:"username,omitempty"`      // login name where a credential does not bring its own
	Credentials  []string          `json:"credentials,omitempty"`   // names in a keyring, tried in order
	Jump         []string          `json:"jump,omitempty"`          // hops in the order they are dialled: a device's name or user@host[:port]
	Parents      []string          `json:"parents,omitempty"`       // names of the devices that it lies behind; of several, any one is a way to it
	LegacyCrypto bool              `json:"legacy_crypto,omitempty"` // appends weak algorithms to the offer
	Secrets      SecretsMode       `json:"secrets,omitempty"`       // how secrets inside its configuration are stored
	Origin       string            `json:"origin,omitempty"`        // where it was read: "devices.csv:12", "~/.ssh/config", "argument"
}

// SecretsMode says how the secrets inside a configuration are stored.
type SecretsMode string

// The modes; empty means SecretsKeep.
const (
	SecretsKeep SecretsMode = "keep" // stored as the device prints them
	SecretsMask SecretsMode = "mask" // replaced by a fixed word; a changed secret is no change
	SecretsHash SecretsMode = "hash" // replaced by a keyed hash; a changed secret is a change
)

// DefaultGroup is the group of a device that names none.
const DefaultGroup = "default"

// GroupName returns the device's group, or DefaultGroup.
func (d Device) GroupName() string {
	if d.Group == "" {
		return DefaultGroup
	}
	return d.Group
}
