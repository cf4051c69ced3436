package ise

// IdentityGroup is a group of internal users.
type IdentityGroup struct {
	ID          string `json:"id,omitempty"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	Parent      string `json:"parent,omitempty"` // "NAC Group:NAC:IdentityGroups:User Identity Groups"
	Link        Link   `json:"link,omitzero"`
}

// InternalUser is a user whom ISE knows by itself. In a request what is not set is left out.
type InternalUser struct {
	ID                string            `json:"id,omitempty"`
	Name              string            `json:"name,omitempty"`
	Description       string            `json:"description,omitempty"`
	Enabled           *bool             `json:"enabled,omitempty"`
	Email             string            `json:"email,omitempty"`
	FirstName         string            `json:"firstName,omitempty"`
	LastName          string            `json:"lastName,omitempty"`
	Password          Secret            `json:"password,omitzero"`
	EnablePassword    Secret            `json:"enablePassword,omitzero"`
	ChangePassword    *bool             `json:"changePassword,omitempty"`
	IdentityGroups    string            `json:"identityGroups,omitempty"` // ids, with commas between them
	PasswordIDStore   string            `json:"passwordIDStore,omitempty"`
	ExpiryDateEnabled *bool             `json:"expiryDateEnabled,omitempty"`
	ExpiryDate        string            `json:"expiryDate,omitempty"` // "2026-12-31"
	CustomAttributes  map[string]string `json:"customAttributes,omitempty"`
	Link              Link              `json:"link,omitzero"`
}

// SGT is a security group tag.
type SGT struct {
	ID              string `json:"id,omitempty"`
	Name            string `json:"name,omitempty"`
	Description     string `json:"description,omitempty"`
	Value           *int   `json:"value,omitempty"` // -1 in a Create: ISE chooses
	PropagateToAPIC *bool  `json:"propogateToApic,omitempty"`
	Link            Link   `json:"link,omitzero"`
}
