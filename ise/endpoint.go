package ise

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
)

// Link is where ISE says that an object is. It is for people: the client follows no links.
type Link struct {
	Rel  string `json:"rel,omitempty"`
	Href string `json:"href,omitempty"`
	Type string `json:"type,omitempty"`
}

// Endpoint is a device that is plugged in, known by its MAC address. In a request what is not set is left out, and a pointer
// sets what may also be false: new(true), new(false).
type Endpoint struct {
	ID          string `json:"id,omitempty"`
	Name        string `json:"name,omitempty"` // the MAC address, as a rule; Create sets it
	Description string `json:"description,omitempty"`
	MAC         string `json:"mac,omitempty"` // "AA:BB:CC:DD:EE:FF"; requests take any spelling of ParseMAC

	GroupID string `json:"groupId,omitempty"`
	// StaticGroup makes GroupID last: without it ISE puts the endpoint where its profile says. When it is nil and there is a
	// GroupID, a request says true.
	StaticGroup   *bool  `json:"staticGroupAssignment,omitempty"`
	ProfileID     string `json:"profileId,omitempty"`
	StaticProfile *bool  `json:"staticProfileAssignment,omitempty"` // is to ProfileID what StaticGroup is to GroupID

	PortalUser       string     `json:"portalUser,omitempty"`
	IdentityStore    string     `json:"identityStore,omitempty"`
	IdentityStoreID  string     `json:"identityStoreId,omitempty"`
	CustomAttributes Attributes `json:"customAttributes,omitempty"`

	// What only OpenAPI knows: see FullEndpoints.
	IPAddress        string `json:"ipAddress,omitempty"`
	Vendor           string `json:"vendor,omitempty"`
	DeviceType       string `json:"deviceType,omitempty"`
	ProductID        string `json:"productId,omitempty"`
	SerialNumber     string `json:"serialNumber,omitempty"`
	HardwareRevision string `json:"hardwareRevision,omitempty"`
	SoftwareRevision string `json:"softwareRevision,omitempty"`
	Protocol         string `json:"protocol,omitempty"`

	Link Link `json:"link,omitzero"`
}

// listed takes the MAC address of a list's entry from its name.
func (e *Endpoint) listed() {
	if e.MAC == "" {
		e.MAC, _ = ParseMAC(e.Name) // a name that is none stands for itself
	}
}

func (e *Endpoint) prepare() (err error) {
	if e.MAC != "" {
		if e.MAC, err = ParseMAC(e.MAC); err != nil {
			return err
		}
	}
	if e.GroupID != "" && e.StaticGroup == nil {
		e.StaticGroup = new(true)
	}
	if e.ProfileID != "" && e.StaticProfile == nil {
		e.StaticProfile = new(true)
	}
	if e.ID == "" {
		e.Name = cmp.Or(e.Name, e.MAC)
	}
	return nil
}

// Attributes are custom attributes by name.
type Attributes map[string]string

// MarshalJSON writes them as ERS takes them: in a second customAttributes inside of the first one.
func (a Attributes) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]map[string]string{"customAttributes": a})
}

// UnmarshalJSON reads the nested form of ERS and the plain one of OpenAPI. A value that is no text is kept as its JSON.
func (a *Attributes) UnmarshalJSON(data []byte) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(data, &values); err != nil {
		return err
	}
	if inner, ok := values["customAttributes"]; ok {
		var nested map[string]json.RawMessage
		if json.Unmarshal(inner, &nested) == nil {
			values = nested
		}
	}
	*a = make(Attributes, len(values))
	for name, raw := range values {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		(*a)[name] = text
	}
	return nil
}

// Endpoints yields the endpoints that the filter lets through, as Endpoint.List does: an entry has an ID, a Name and where the
// name is one the MAC, and for the rest there is FullEndpoints.
func (c *Client) Endpoints(ctx context.Context, f Filter) iter.Seq2[Endpoint, error] {
	return c.Endpoint.List(ctx, f)
}

// EndpointGroup is an endpoint identity group.
type EndpointGroup struct {
	ID            string `json:"id,omitempty"`
	Name          string `json:"name,omitempty"`
	Description   string `json:"description,omitempty"`
	SystemDefined *bool  `json:"systemDefined,omitempty"`
	ParentID      string `json:"parentId,omitempty"`
	Link          Link   `json:"link,omitzero"`
}
