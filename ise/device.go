package ise

import (
	"fmt"
	"net/netip"
)

// NetworkDevice is a switch, router or controller that ISE authenticates for. ISE gives its secrets in clear to whoever may
// read it: here they have the type Secret, which does not print. In a request what is not set is left out.
type NetworkDevice struct {
	ID          string            `json:"id,omitempty"`
	Name        string            `json:"name,omitempty"`
	Description string            `json:"description,omitempty"`
	Addresses   []NetworkDeviceIP `json:"NetworkDeviceIPList,omitempty"`
	Groups      []string          `json:"NetworkDeviceGroupList,omitempty"` // "Location#All Locations#Amsterdam"
	Profile     string            `json:"profileName,omitempty"`            // "Cisco"
	Model       string            `json:"modelName,omitempty"`
	Software    string            `json:"softwareVersion,omitempty"`
	CoAPort     int               `json:"coaPort,omitempty"`
	DTLSDNSName string            `json:"dtlsDnsName,omitempty"`
	RADIUS      *RADIUS           `json:"authenticationSettings,omitempty"`
	SNMP        *SNMP             `json:"snmpsettings,omitempty"`
	TACACS      *TACACS           `json:"tacacsSettings,omitempty"`
	TrustSec    *TrustSec         `json:"trustsecsettings,omitempty"`
	Link        Link              `json:"link,omitzero"`
}

// NetworkDeviceIP is an address of a network device, or a whole network where Mask is less than 32.
type NetworkDeviceIP struct {
	IP      string `json:"ipaddress"`
	Mask    int    `json:"mask"`
	Exclude string `json:"getIpaddressExclude,omitempty"`
}

// Prefix returns the address and its mask. ISE also knows forms that are no prefix, such as 10.1.1.10-20, which are an error.
func (a NetworkDeviceIP) Prefix() (netip.Prefix, error) {
	addr, err := netip.ParseAddr(a.IP)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("ise: %q is no address", clip(a.IP, codeLength))
	}
	if a.Mask < 0 || a.Mask > addr.BitLen() {
		return netip.Prefix{}, fmt.Errorf("ise: %s has no mask of %d bits", addr, a.Mask)
	}
	return netip.PrefixFrom(addr, a.Mask), nil
}

// RADIUS is how ISE and a network device authenticate each other.
type RADIUS struct {
	NetworkProtocol             string `json:"networkProtocol,omitempty"` // "RADIUS"
	SharedSecret                Secret `json:"radiusSharedSecret,omitzero"`
	SecondSharedSecret          Secret `json:"secondRadiusSharedSecret,omitzero"`
	EnableKeyWrap               *bool  `json:"enableKeyWrap,omitempty"`
	KeyEncryptionKey            Secret `json:"keyEncryptionKey,omitzero"`
	MessageAuthenticatorCodeKey Secret `json:"messageAuthenticatorCodeKey,omitzero"`
	KeyInputFormat              string `json:"keyInputFormat,omitempty"` // "ASCII" or "HEXADECIMAL"
	DTLSRequired                *bool  `json:"dtlsRequired,omitempty"`
}

// SNMP is how ISE asks a network device.
type SNMP struct {
	Version         string `json:"version,omitempty"` // "ONE", "TWO_C", "THREE"
	ROCommunity     Secret `json:"roCommunity,omitzero"`
	Username        string `json:"username,omitempty"`
	SecurityLevel   string `json:"securityLevel,omitempty"`
	AuthProtocol    string `json:"authProtocol,omitempty"`
	AuthPassword    Secret `json:"authPassword,omitzero"`
	PrivacyProtocol string `json:"privacyProtocol,omitempty"`
	PrivacyPassword Secret `json:"privacyPassword,omitzero"`
	PollingInterval int    `json:"pollingInterval,omitempty"` // seconds
	LinkTrapQuery   *bool  `json:"linkTrapQuery,omitempty"`
	MACTrapQuery    *bool  `json:"macTrapQuery,omitempty"`
	OriginatingNode string `json:"originatingPolicyServicesNode,omitempty"`
}

// TACACS is how administrators of a network device are authenticated.
type TACACS struct {
	SharedSecret         Secret `json:"sharedSecret,omitzero"`
	PreviousSharedSecret Secret `json:"previousSharedSecret,omitzero"`
	ConnectMode          string `json:"connectModeOptions,omitempty"` // "OFF", "ON_LEGACY", "ON_DRAFT_COMPLIANT"
}

// TrustSec is what a network device needs to take part in TrustSec.
type TrustSec struct {
	Device     *TrustSecDevice     `json:"deviceAuthenticationSettings,omitempty"`
	Deployment *TrustSecDeployment `json:"deviceConfigurationDeployment,omitempty"`
}

// TrustSecDevice is how a network device logs in to TrustSec.
type TrustSecDevice struct {
	ID       string `json:"sgaDeviceId,omitempty"`
	Password Secret `json:"sgaDevicePassword,omitzero"`
}

// TrustSecDeployment is how ISE logs in to a network device to configure it.
type TrustSecDeployment struct {
	ExecUsername   string `json:"execModeUsername,omitempty"`
	ExecPassword   Secret `json:"execModePassword,omitzero"`
	EnablePassword Secret `json:"enableModePassword,omitzero"`
	IncludeUpdates *bool  `json:"includeWhenDeployingSGTUpdates,omitempty"`
}

// NetworkDeviceGroup is a group of network devices, named with all its parents: "Device Type#All Device Types#Switch".
type NetworkDeviceGroup struct {
	ID          string `json:"id,omitempty"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	Root        string `json:"othername,omitempty"` // "Device Type"
	Type        string `json:"ndgtype,omitempty"`   // the same in later versions
	Link        Link   `json:"link,omitzero"`
}
