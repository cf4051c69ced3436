package ise

import (
	"fmt"
	"strings"
)

// wrappers are the keys that ERS puts around the objects of the resources that have a type here.
var wrappers = map[string]string{
	"allowedprotocols":     "AllowedProtocols",
	"ancendpoint":          "ErsAncEndpoint",
	"ancpolicy":            "ErsAncPolicy",
	"authorizationprofile": "AuthorizationProfile",
	"endpoint":             "ERSEndPoint",
	"endpointgroup":        "EndPointGroup",
	"identitygroup":        "IdentityGroup",
	"internaluser":         "InternalUser",
	"networkdevice":        "NetworkDevice",
	"networkdevicegroup":   "NetworkDeviceGroup",
	"sgt":                  "Sgt",
}

// bind is the table of the resources that have a type.
func (c *Client) bind() {
	c.Endpoint = resource(c, kind[Endpoint]{
		name: "endpoint", id: func(v *Endpoint) *string { return &v.ID }, listed: (*Endpoint).listed, prepare: (*Endpoint).prepare,
		key: func(v *Endpoint) (string, string) { return "mac", v.MAC },
	})
	c.EndpointGroup = resource(c, kind[EndpointGroup]{
		name: "endpointgroup", id: func(v *EndpointGroup) *string { return &v.ID },
		key: func(v *EndpointGroup) (string, string) { return "name", v.Name },
	})
	c.NetworkDevice = resource(c, kind[NetworkDevice]{
		name: "networkdevice", id: func(v *NetworkDevice) *string { return &v.ID },
		key: func(v *NetworkDevice) (string, string) { return "name", v.Name },
	})
	c.NetworkDeviceGroup = resource(c, kind[NetworkDeviceGroup]{
		name: "networkdevicegroup", id: func(v *NetworkDeviceGroup) *string { return &v.ID },
		key: func(v *NetworkDeviceGroup) (string, string) { return "name", v.Name },
	})
	c.IdentityGroup = resource(c, kind[IdentityGroup]{
		name: "identitygroup", id: func(v *IdentityGroup) *string { return &v.ID },
		key: func(v *IdentityGroup) (string, string) { return "name", v.Name },
	})
	c.InternalUser = resource(c, kind[InternalUser]{
		name: "internaluser", id: func(v *InternalUser) *string { return &v.ID },
		key: func(v *InternalUser) (string, string) { return "name", v.Name },
	})
	c.SGT = resource(c, kind[SGT]{
		name: "sgt", id: func(v *SGT) *string { return &v.ID },
		key: func(v *SGT) (string, string) { return "name", v.Name },
	})
	c.ANCPolicy = resource(c, kind[ANCPolicy]{
		name: "ancpolicy", id: func(v *ANCPolicy) *string { return &v.ID },
		key: func(v *ANCPolicy) (string, string) { return "name", v.Name },
	})
	c.ANCEndpoint = resource(c, kind[ANCEndpoint]{
		name: "ancendpoint", id: func(v *ANCEndpoint) *string { return &v.ID },
		key: func(v *ANCEndpoint) (string, string) { return "mac", v.MAC },
	})
	c.AuthorizationProfile = resource(c, kind[AuthorizationProfile]{
		name: "authorizationprofile", byName: true, id: func(v *AuthorizationProfile) *string { return &v.ID },
		key: func(v *AuthorizationProfile) (string, string) { return "name", v.Name },
	})
	c.AllowedProtocols = resource(c, kind[AllowedProtocols]{
		name: "allowedprotocols", byName: true, id: func(v *AllowedProtocols) *string { return &v.ID },
		key: func(v *AllowedProtocols) (string, string) { return "name", v.Name },
	})
}

func resource[T any](c *Client, k kind[T]) *Resource[T] {
	k.wrapper = wrappers[k.name]
	return &Resource[T]{c, k}
}

// Resource returns the resource of that name, such as "downloadableacl", as objects without a type of their own. The name is
// what stands in ERS's path.
func (c *Client) Resource(name string) (*Resource[Object], error) {
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return nil, fmt.Errorf("ise: %q is no name of a resource, such as downloadableacl", clip(name, codeLength))
	}
	return resource(c, kind[Object]{
		name: name, id: func(v *Object) *string { return &v.ID },
		key: func(v *Object) (string, string) { return "name", v.Name },
	}), nil
}
