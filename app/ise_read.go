package app

import (
	"context"
	"iter"
	"slices"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/task"
)

// ISEItem is what every list of ISE gives of its entries; what it does not give is null.
type ISEItem struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	MAC     *string `json:"mac"`
	Group   *string `json:"group"`
	GroupID *string `json:"group_id"`
	Link    *string `json:"link"`
}

// ISEEndpoint is an endpoint. A list gives its description alone of what comes behind the item.
type ISEEndpoint struct {
	ISEItem
	Description string `json:"description,omitempty"`
	Static      *bool  `json:"static,omitempty"` // the group is given, and not found by profiling
	ProfileID   string `json:"profile_id,omitempty"`
	Address     string `json:"address,omitempty"`
	Vendor      string `json:"vendor,omitempty"`
	DeviceType  string `json:"device_type,omitempty"`
}

// ISEGroup is an endpoint group.
type ISEGroup struct {
	ISEItem
	Description string `json:"description,omitempty"`
	System      *bool  `json:"system,omitempty"`
	ParentID    string `json:"parent_id,omitempty"`
}

// ISEPolicy is a policy set for network access.
type ISEPolicy struct {
	ISEItem
	Description string `json:"description,omitempty"`
	Rank        int    `json:"rank"`
	State       string `json:"state"`
	Default     bool   `json:"default"`
	Hits        int    `json:"hits"`
	Protocols   string `json:"protocols,omitempty"` // the allowed protocols
}

// ISEDevice is a network device that ISE authenticates for. Its secrets are not in it.
type ISEDevice struct {
	ISEItem
	Description string   `json:"description,omitempty"`
	Addresses   []string `json:"addresses,omitempty"`
	Groups      []string `json:"groups,omitempty"` // of network devices
	Profile     string   `json:"profile,omitempty"`
	Model       string   `json:"model,omitempty"`
	Software    string   `json:"software,omitempty"`
}

// ISEQuery says which entries of a list are wanted.
type ISEQuery struct {
	Match []string // FIELD.OPERATOR.VALUE, as ERS has it
	Any   bool     // one of them is enough
	Group string   // endpoints of this group alone, by name or id
	Full  bool     // all that ISE knows, and not only what the list gives
}

// filter is the query as ISE filters.
func (q ISEQuery) filter() ise.Filter { return ise.Filter{Match: q.Match, Any: q.Any} }

// Endpoints yields endpoints in ISE's order as they come, in a memory that does not grow with them. An error is the last.
func (i *ISE) Endpoints(ctx context.Context, q ISEQuery) iter.Seq2[ISEEndpoint, error] {
	return func(yield func(ISEEndpoint, error) bool) {
		f, names, err := i.endpointFilter(ctx, q)
		if err != nil {
			yield(ISEEndpoint{}, err)
			return
		}
		list := i.client.Endpoints
		if q.Full {
			list = i.client.FullEndpoints
		}
		for e, err := range list(ctx, f) {
			row := endpointRow(e, names)
			if q.Group != "" && row.Group == nil { // what the filter says of all of them
				for id, name := range names {
					row.Group, row.GroupID = text(name), text(id)
				}
			}
			if !yield(row, iseError(err)) || err != nil {
				return
			}
		}
	}
}

// endpointFilter returns the filter, and the names of the groups that will be met, by id.
func (i *ISE) endpointFilter(ctx context.Context, q ISEQuery) (ise.Filter, map[string]string, error) {
	f := q.filter()
	switch {
	case q.Group != "" && q.Any && len(q.Match) > 0:
		return f, nil, &markedError{errGroupAny, ErrUsage}
	case q.Group != "":
		g, err := i.group(ctx, q.Group)
		f.Match = append(slices.Clip(f.Match), "groupId.EQ."+g.ID)
		return f, map[string]string{g.ID: g.Name}, err
	case q.Full:
		names, err := i.groupNames(ctx)
		return f, names, err
	}
	return f, nil, nil
}

// groupNames returns the names of all endpoint groups by their ids.
func (i *ISE) groupNames(ctx context.Context) (map[string]string, error) {
	names := map[string]string{}
	for g, err := range i.client.EndpointGroup.List(ctx, ise.Filter{}) {
		if err != nil {
			return nil, iseError(err)
		}
		names[g.ID] = g.Name
	}
	return names, nil
}

func endpointRow(e ise.Endpoint, groups map[string]string) ISEEndpoint {
	mac, err := ise.ParseMAC(e.MAC)
	if err != nil {
		mac, _ = ise.ParseMAC(e.Name)
	}
	return ISEEndpoint{
		ISEItem:     ISEItem{e.ID, e.Name, text(mac), text(groups[e.GroupID]), text(e.GroupID), text(e.Link.Href)},
		Description: e.Description, Static: e.StaticGroup, ProfileID: e.ProfileID,
		Address: e.IPAddress, Vendor: e.Vendor, DeviceType: e.DeviceType,
	}
}

// text is a text, or null where there is none.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Endpoint returns one endpoint by its MAC address or id, with all that ISE knows.
func (i *ISE) Endpoint(ctx context.Context, name string) (ISEEndpoint, error) {
	e, err := i.endpoint(ctx, name)
	if err != nil {
		return ISEEndpoint{}, err
	}
	groups := map[string]string{}
	if e.GroupID != "" {
		g, err := i.client.EndpointGroup.Get(ctx, e.GroupID)
		if err != nil && ctx.Err() != nil {
			return ISEEndpoint{}, iseError(err)
		}
		groups[e.GroupID] = g.Name // a group that was deleted meanwhile has none
	}
	return endpointRow(e, groups), nil
}

func (i *ISE) endpoint(ctx context.Context, name string) (e ise.Endpoint, err error) {
	if isID(name) {
		e, err = i.client.Endpoint.Get(ctx, name)
	} else {
		e, err = i.client.Endpoint.Find(ctx, name)
	}
	return e, iseError(err)
}

// Groups yields the endpoint groups, as Endpoints does.
func (i *ISE) Groups(ctx context.Context, q ISEQuery) iter.Seq2[ISEGroup, error] {
	return listOf(ctx, i, i.client.EndpointGroup, q, groupRow)
}

// Group returns one endpoint group by its name or id.
func (i *ISE) Group(ctx context.Context, name string) (ISEGroup, error) {
	g, err := i.group(ctx, name)
	return groupRow(g), err
}

func groupRow(g ise.EndpointGroup) ISEGroup {
	return ISEGroup{ISEItem{ID: g.ID, Name: g.Name, Link: text(g.Link.Href)}, g.Description, g.SystemDefined, g.ParentID}
}

// Devices yields the network devices, as Endpoints does.
func (i *ISE) Devices(ctx context.Context, q ISEQuery) iter.Seq2[ISEDevice, error] {
	return listOf(ctx, i, i.client.NetworkDevice, q, deviceRow)
}

// Device returns one network device by its name or id.
func (i *ISE) Device(ctx context.Context, name string) (ISEDevice, error) {
	find := i.client.NetworkDevice.Find
	if isID(name) {
		find = i.client.NetworkDevice.Get
	}
	d, err := find(ctx, name)
	return deviceRow(d), iseError(err)
}

func deviceRow(d ise.NetworkDevice) ISEDevice {
	row := ISEDevice{
		ISEItem: ISEItem{ID: d.ID, Name: d.Name, Link: text(d.Link.Href)}, Description: d.Description,
		Groups: d.Groups, Profile: d.Profile, Model: d.Model, Software: d.Software,
	}
	for _, a := range d.Addresses {
		p, err := a.Prefix()
		switch {
		case err != nil: // a form of ISE's own
			row.Addresses = append(row.Addresses, a.IP)
		case p.IsSingleIP():
			row.Addresses = append(row.Addresses, p.Addr().String())
		default:
			row.Addresses = append(row.Addresses, p.String())
		}
	}
	return row
}

// listOf yields what a resource lists, or with Full all that it has.
func listOf[T, R any](ctx context.Context, i *ISE, r *ise.Resource[T], q ISEQuery, row func(T) R) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		list := r.List
		if q.Full {
			list = r.Full
		}
		for v, err := range list(ctx, q.filter()) {
			if !yield(row(v), iseError(err)) || err != nil {
				return
			}
		}
	}
}

// Policies returns the policy sets for network access, by rank.
func (i *ISE) Policies(ctx context.Context) ([]ISEPolicy, error) {
	sets, err := i.client.PolicySets(ctx)
	rows := []ISEPolicy{}
	for _, s := range sets {
		rows = append(rows, ISEPolicy{ISEItem{ID: s.ID, Name: s.Name}, s.Description, s.Rank, s.State, s.Default, s.HitCounts, s.ServiceName})
	}
	return rows, iseError(err)
}

// Policy returns one policy set by its name or id.
func (i *ISE) Policy(ctx context.Context, name string) (ISEPolicy, error) {
	rows, err := i.Policies(ctx)
	for _, row := range rows {
		if row.Name == name || row.ID == name {
			return row, err
		}
	}
	if err == nil {
		err = &markedError{&ise.Error{Op: "find", Resource: "policy-set", Name: name, Err: ise.ErrNotFound}, ErrNothing}
	}
	return ISEPolicy{}, err
}

// ISEPart is one of several things that ISE was asked for at once: how many there are and, where they were asked for, which; or its own
// error.
type ISEPart[R any] struct {
	Total *int   `json:"total,omitempty"`
	Items []R    `json:"items,omitzero"`
	Code  string `json:"code,omitempty"`
	Error string `json:"error,omitempty"`
	Err   error  `json:"-"`
}

// ISESummary is what ISE has.
type ISESummary struct {
	Endpoints ISEPart[ISEEndpoint] `json:"endpoints"`
	Groups    ISEPart[ISEGroup]    `json:"groups"`
	Policies  ISEPart[ISEPolicy]   `json:"policies"`
}

// Errs returns the errors of the parts that failed.
func (s *ISESummary) Errs() []error {
	var errs []error
	for _, err := range []error{s.Endpoints.Err, s.Groups.Err, s.Policies.Err} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// Summary asks for endpoints, groups and policies at once, each with its items or only counted. One that fails does not touch the
// others.
func (i *ISE) Summary(ctx context.Context, items bool) *ISESummary {
	var s ISESummary
	calls := []func(context.Context){
		func(ctx context.Context) {
			s.Endpoints = partOf(ctx, items, i.client.Endpoint.Total, i.Endpoints(ctx, ISEQuery{}))
		},
		func(ctx context.Context) {
			s.Groups = partOf(ctx, items, i.client.EndpointGroup.Total, i.Groups(ctx, ISEQuery{}))
		},
		func(ctx context.Context) {
			sets, err := i.Policies(ctx)
			s.Policies = newPart(sets, len(sets), items, err)
		},
	}
	task.Settle(ctx, calls, func(ctx context.Context, ask func(context.Context)) (struct{}, error) {
		ask(ctx)
		return struct{}{}, nil
	}, task.Named("ise summary"))
	return &s
}

func partOf[R any](ctx context.Context, items bool, total func(context.Context, ise.Filter) (int, error), list iter.Seq2[R, error]) ISEPart[R] {
	if !items {
		n, err := total(ctx, ise.Filter{})
		return newPart[R](nil, n, false, iseError(err))
	}
	rows := []R{}
	for row, err := range list {
		if err != nil {
			return newPart[R](nil, 0, false, err)
		}
		rows = append(rows, row)
	}
	return newPart(rows, len(rows), true, nil)
}

func newPart[R any](rows []R, total int, items bool, err error) ISEPart[R] {
	switch {
	case err != nil:
		return ISEPart[R]{Code: iseCode(err), Error: err.Error(), Err: err}
	case !items:
		rows = nil
	}
	return ISEPart[R]{Total: &total, Items: rows}
}
