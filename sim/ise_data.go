package sim

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// iseObject is an object that ERS keeps.
type iseObject struct {
	id, name, description string
	fields                map[string]any // all the others; nil: those that made gives
	made                  func() map[string]any
}

// all returns the object as ERS shows it.
func (o *iseObject) all() map[string]any {
	m := map[string]any{"id": o.id, "name": o.name}
	if o.description != "" {
		m["description"] = o.description
	}
	fields := o.fields
	if fields == nil && o.made != nil {
		fields = o.made()
	}
	maps.Copy(m, fields)
	return m
}

// iseResource is what ERS keeps under one path.
type iseResource struct {
	name, wrapper string
	duplicate     int // the status of a create of what is there already
	order         []*iseObject
	byID          map[string]*iseObject
	byName        map[string]*iseObject // in lower case
}

func (r *iseResource) add(o *iseObject) {
	r.order = append(r.order, o)
	r.byID[o.id], r.byName[strings.ToLower(o.name)] = o, o
}

func (r *iseResource) remove(o *iseObject) {
	i := slices.Index(r.order, o)
	r.order = slices.Delete(r.order, i, i+1)
	delete(r.byID, o.id)
	delete(r.byName, strings.ToLower(o.name))
}

// iseData is what all nodes of an ISE hold.
type iseData struct {
	mu        sync.RWMutex
	seed      uint64
	made      int // objects, ever
	resources map[string]*iseResource
	policies  []any
	tasks     map[string]any // of bulk requests
}

// iseWrappers are the resources, and the keys that ERS puts around their objects.
var iseWrappers = map[string]string{
	"allowedprotocols": "AllowedProtocols", "ancendpoint": "ErsAncEndpoint", "ancpolicy": "ErsAncPolicy", "authorizationprofile": "AuthorizationProfile",
	"downloadableacl": "DownloadableAcl", "endpoint": "ERSEndPoint", "endpointgroup": "EndPointGroup", "identitygroup": "IdentityGroup",
	"internaluser": "InternalUser", "networkdevice": "NetworkDevice", "networkdevicegroup": "NetworkDeviceGroup", "sgt": "Sgt",
}

func newISEData(c ISEConfig) *iseData {
	d := &iseData{seed: c.Seed, resources: map[string]*iseResource{}, tasks: map[string]any{}}
	for name, wrapper := range iseWrappers {
		duplicate := 500 // which of the two it is differs from resource to resource
		if name == "endpoint" || name == "networkdevice" {
			duplicate = 400
		}
		d.resources[name] = &iseResource{name: name, wrapper: wrapper, duplicate: duplicate, byID: map[string]*iseObject{}, byName: map[string]*iseObject{}}
	}
	groups := make([]string, c.Groups)
	for i := range groups {
		groups[i] = d.put("endpointgroup", groupName(i), "", map[string]any{"systemDefined": i == 0}).id
	}
	for i := range c.Endpoints {
		d.putEndpoint(i, groups)
	}
	d.furnish(c)
	return d
}

// groupName is "Unknown" for the first one, where ISE puts what has no other group.
func groupName(i int) string {
	if i == 0 {
		return "Unknown"
	}
	return fmt.Sprintf("Group-%02d", i)
}

// put adds an object. The caller holds the lock, or is alone.
func (d *iseData) put(resource, name, description string, fields map[string]any) *iseObject {
	d.made++
	o := &iseObject{id: d.uuid(d.made), name: name, description: description, fields: fields}
	d.resources[resource].add(o)
	return o
}

// putEndpoint adds the i-th generated endpoint; its fields are made when they are asked for.
func (d *iseData) putEndpoint(i int, groups []string) *iseObject {
	mac := iseMAC(d.seed, i)
	o := d.put("endpoint", mac, "", nil)
	o.made = func() map[string]any {
		m := map[string]any{"mac": mac, "staticGroupAssignment": false, "staticProfileAssignment": false, "profileId": d.uuid(-1), "portalUser": "", "identityStore": ""}
		if len(groups) > 0 {
			m["groupId"] = groups[i%len(groups)]
			m["staticGroupAssignment"] = i%len(groups) != 0
		}
		return m
	}
	return o
}

// iseMAC is the MAC address of the i-th endpoint: of a range that is nobody's, and in no order.
func iseMAC(seed uint64, i int) string {
	sum := derive(seed, "mac")
	n := uint32(i) * 2654435761 // odd: no two i below 2^32 come to the same
	text := strings.ToUpper(hex.EncodeToString([]byte{0x02, sum[0], byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}))
	var parts []string
	for b := range slices.Chunk([]byte(text), 2) {
		parts = append(parts, string(b))
	}
	return strings.Join(parts, ":")
}

// uuid is the id of the n-th object.
func (d *iseData) uuid(n int) string {
	sum := derive(d.seed, "id "+strconv.Itoa(n))
	text := hex.EncodeToString(sum[:16])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// furnish adds what every ISE has.
func (d *iseData) furnish(c ISEConfig) {
	for i := range c.Devices {
		d.put("networkdevice", fmt.Sprintf("sim-%04d", i+1), "", map[string]any{
			"profileName": "Cisco", "coaPort": 1700,
			"NetworkDeviceIPList":    []any{map[string]any{"ipaddress": fmt.Sprintf("198.51.100.%d", i%254+1), "mask": 32}},
			"NetworkDeviceGroupList": []any{"Location#All Locations#site-" + string(rune('a'+i%8)), "Device Type#All Device Types#Switch"},
			"authenticationSettings": map[string]any{"networkProtocol": "RADIUS", "radiusSharedSecret": generated(d.seed, "radius"+strconv.Itoa(i)), "dtlsRequired": false},
			"snmpsettings":           map[string]any{"version": "TWO_C", "roCommunity": generated(d.seed, "community"), "pollingInterval": 3600},
		})
	}
	for _, name := range []string{"Location#All Locations", "Device Type#All Device Types", "Device Type#All Device Types#Switch"} {
		root, _, _ := strings.Cut(name, "#")
		d.put("networkdevicegroup", name, "", map[string]any{"othername": root})
	}
	d.put("identitygroup", "Employee", "Default Employee User Group", map[string]any{"parent": "NAC Group:NAC:IdentityGroups:User Identity Groups"})
	d.put("sgt", "Employees", "", map[string]any{"value": 4, "propogateToApic": false})
	d.put("ancpolicy", "Quarantine", "", map[string]any{"actions": []any{"QUARANTINE"}})
	d.put("authorizationprofile", "PermitAccess", "Default Profile with access type as Access-Accept", map[string]any{"accessType": "ACCESS_ACCEPT", "authzProfileType": "SWITCH"})
	d.put("allowedprotocols", "Default Network Access", "Default Allowed Protocol Service", map[string]any{"allowPapAscii": true, "allowEapTls": true, "processHostLookup": true})
	d.put("downloadableacl", "PERMIT_ALL_IPV4_TRAFFIC", "Allow all ipv4 Traffic", map[string]any{"dacl": "permit ip any any"})
	for i, name := range []string{"Wired MAB", "Wired 802.1X", "Default"} {
		d.policies = append(d.policies, map[string]any{
			"id": d.uuid(-2 - i), "name": name, "rank": i, "state": "enabled", "default": name == "Default", "isProxy": false, "hitCounts": 0,
			"serviceName": "Default Network Access", "condition": nil, "link": map[string]any{},
		})
	}
}

// Endpoints returns the MAC addresses of the endpoints, in the order of its lists.
func (i *ISE) Endpoints() []string {
	i.data.mu.RLock()
	defer i.data.mu.RUnlock()
	var macs []string
	for _, o := range i.data.resources["endpoint"].order {
		macs = append(macs, o.name)
	}
	return macs
}

// AddEndpoint adds an endpoint to the beginning of the list, as somebody else might while it is read, and returns its MAC
// address.
func (i *ISE) AddEndpoint() string {
	i.data.mu.Lock()
	defer i.data.mu.Unlock()
	o := i.data.putEndpoint(i.data.made+1<<20, nil)
	order := i.data.resources["endpoint"].order
	copy(order[1:], order[:len(order)-1])
	order[0] = o
	return o.name
}

// RemoveEndpoint removes the n-th endpoint of the list, and returns its MAC address.
func (i *ISE) RemoveEndpoint(n int) string {
	i.data.mu.Lock()
	defer i.data.mu.Unlock()
	r := i.data.resources["endpoint"]
	o := r.order[n]
	r.remove(o)
	return o.name
}
