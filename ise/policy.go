package ise

// ANCPolicy is what Adaptive Network Control can do to an endpoint.
type ANCPolicy struct {
	ID      string   `json:"id,omitempty"`
	Name    string   `json:"name,omitempty"`
	Actions []string `json:"actions,omitempty"` // "QUARANTINE", "SHUT_DOWN", "PORT_BOUNCE", "RE_AUTHENTICATE"
	Link    Link     `json:"link,omitzero"`
}

// ANCEndpoint is an endpoint to which an ANC policy applies. It is made by ApplyANC and unmade by ClearANC.
type ANCEndpoint struct {
	ID     string `json:"id,omitempty"`
	MAC    string `json:"macAddress,omitempty"`
	Policy string `json:"policyName,omitempty"`
	Link   Link   `json:"link,omitzero"`
}

// AuthorizationProfile is what an authorization rule gives.
type AuthorizationProfile struct {
	ID          string `json:"id,omitempty"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	AccessType  string `json:"accessType,omitempty"` // "ACCESS_ACCEPT", "ACCESS_REJECT"
	ProfileType string `json:"authzProfileType,omitempty"`
	VLAN        *VLAN  `json:"vlan,omitempty"`
	DACL        string `json:"daclName,omitempty"`
	ACL         string `json:"acl,omitempty"`
	Profile     string `json:"profileName,omitempty"` // of the network devices it is for: "Cisco"
	Link        Link   `json:"link,omitzero"`
}

// VLAN is a VLAN that an authorization profile assigns, by name or by number.
type VLAN struct {
	NameID string `json:"nameID,omitempty"`
	TagID  int    `json:"tagID,omitempty"`
}

// AllowedProtocols is a list of the authentication protocols that a policy set takes.
type AllowedProtocols struct {
	ID            string `json:"id,omitempty"`
	Name          string `json:"name,omitempty"`
	Description   string `json:"description,omitempty"`
	HostLookup    *bool  `json:"processHostLookup,omitempty"`
	AllowPAP      *bool  `json:"allowPapAscii,omitempty"`
	AllowCHAP     *bool  `json:"allowChap,omitempty"`
	AllowMSCHAPv1 *bool  `json:"allowMsChapV1,omitempty"`
	AllowMSCHAPv2 *bool  `json:"allowMsChapV2,omitempty"`
	AllowEAPMD5   *bool  `json:"allowEapMd5,omitempty"`
	AllowLEAP     *bool  `json:"allowLeap,omitempty"`
	AllowEAPTLS   *bool  `json:"allowEapTls,omitempty"`
	AllowEAPTTLS  *bool  `json:"allowEapTtls,omitempty"`
	AllowEAPFAST  *bool  `json:"allowEapFast,omitempty"`
	AllowPEAP     *bool  `json:"allowPeap,omitempty"`
	AllowTEAP     *bool  `json:"allowTeap,omitempty"`
	Link          Link   `json:"link,omitzero"`
}
