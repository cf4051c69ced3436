package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/task"
)

// What becomes of an endpoint.
const (
	ISENew     = "new"
	ISEChanged = "changed"
	ISESame    = "same"
	ISERemoved = "removed"
	ISEBad     = "bad"    // a row that cannot be understood
	ISEFailed  = "failed" // ISE did not do it
)

// ISEChange is what becomes of one endpoint, or with a dry run would.
type ISEChange struct {
	MAC         string   `json:"mac"`
	Group       *string  `json:"group"`
	Description *string  `json:"description"`
	Status      string   `json:"status"`
	ID          *string  `json:"id"`
	Changes     []string `json:"changes,omitempty"` // "group: Unknown -> Printers"
	Place       string   `json:"place,omitempty"`   // file:line, of an import
	Code        string   `json:"code,omitempty"`
	Error       string   `json:"error,omitempty"`
	Err         error    `json:"-"`

	groupID  string
	profiled bool // the group is what ISE's profiling found
}

// fail makes a change one that failed.
func (c *ISEChange) fail(err error) {
	c.Status, c.Code, c.Error, c.Err = ISEFailed, iseCode(err), err.Error(), iseError(err)
}

// Add makes one endpoint, in a group by name or id where one is said. What ISE did not do is in the change.
func (i *ISE) Add(ctx context.Context, mac, group, description string, dryRun bool) (ISEChange, error) {
	c := ISEChange{Status: ISENew, Description: text(description)}
	var err error
	if c.MAC, err = ise.ParseMAC(mac); err != nil {
		return c, usage(err)
	}
	if group != "" {
		g, err := i.group(ctx, group)
		if err != nil {
			return c, err
		}
		c.Group, c.groupID = text(g.Name), g.ID
	}
	if dryRun {
		_, err := i.client.Endpoint.Find(ctx, c.MAC)
		if err == nil {
			err = &ise.Error{Op: "create", Resource: "endpoint", Name: c.MAC, Attempts: 1, Err: ise.ErrExists}
		}
		if !errors.Is(err, ise.ErrNotFound) {
			c.fail(err)
		}
		return c, nil
	}
	id, err := i.client.Endpoint.Create(ctx, c.endpoint())
	if c.ID = text(id); err != nil {
		c.fail(err)
	}
	return c, nil
}

// endpoint is what a change asks ISE for.
func (c *ISEChange) endpoint() ise.Endpoint {
	e := ise.Endpoint{MAC: c.MAC, GroupID: c.groupID}
	if c.Description != nil {
		e.Description = *c.Description
	}
	return e
}

// Remove deletes endpoints by MAC address or id, several at once. The results have the order of the names.
func (i *ISE) Remove(ctx context.Context, names []string, dryRun bool) []ISEChange {
	done := task.Settle(ctx, names, func(ctx context.Context, name string) (ISEChange, error) {
		c := ISEChange{MAC: name, Status: ISERemoved}
		e, err := i.endpoint(ctx, name)
		if err != nil {
			return c, err
		}
		c.MAC, c.ID = e.MAC, text(e.ID)
		if dryRun {
			return c, nil
		}
		return c, i.client.Endpoint.Delete(ctx, e.ID)
	}, task.Limit(i.limit), task.Named("remove endpoints"))
	changes := make([]ISEChange, len(done))
	for n, d := range done {
		changes[n] = d.Value
		if d.Err != nil {
			changes[n].MAC = names[n]
			changes[n].fail(d.Err)
		}
	}
	return changes
}

// importChunk is how many endpoints are made or changed before the next are told of: as many as ISE takes in one request.
const importChunk = 500

// Apply makes the changes that an import found, and tells of each as it is done; those that are same or bad are told as they are. A
// change that failed has its error; told's error ends it. What was done when ctx ends is done: the same import can be run again.
func (i *ISE) Apply(ctx context.Context, changes []ISEChange, told func(n int, c ISEChange) error) error {
	var creates, updates []int
	for n, c := range changes {
		switch c.Status {
		case ISENew:
			creates = append(creates, n)
		case ISEChanged:
			updates = append(updates, n)
		default:
			if err := told(n, c); err != nil {
				return err
			}
		}
	}
	for _, work := range []struct {
		places []int
		do     func(context.Context, []ISEChange) error
	}{{creates, i.createAll}, {updates, i.updateAll}} {
		for len(work.places) > 0 && ctx.Err() == nil {
			places := work.places[:min(importChunk, len(work.places))]
			work.places = work.places[len(places):]
			part := make([]ISEChange, len(places))
			for k, n := range places {
				part[k] = changes[n]
			}
			err := work.do(ctx, part)
			for k, n := range places {
				if told := told(n, part[k]); told != nil {
					return told
				}
			}
			if err != nil {
				return iseError(err)
			}
		}
	}
	return ctx.Err()
}

func (i *ISE) createAll(ctx context.Context, changes []ISEChange) error {
	endpoints := make([]ise.Endpoint, len(changes))
	for n := range changes {
		endpoints[n] = changes[n].endpoint()
	}
	made, err := i.client.CreateEndpoints(ctx, endpoints)
	for n, m := range made {
		if changes[n].ID = text(m.ID); m.Err != nil {
			changes[n].fail(m.Err)
		}
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("import: %w", err)
	}
	return err
}

func (i *ISE) updateAll(ctx context.Context, changes []ISEChange) error {
	done := task.Settle(ctx, changes, func(ctx context.Context, c ISEChange) (struct{}, error) {
		return struct{}{}, i.client.Endpoint.Update(ctx, *c.ID, c.endpoint())
	}, task.Limit(i.limit), task.Named("change endpoints"))
	for n, d := range done {
		if d.Err != nil {
			changes[n].fail(d.Err)
		}
	}
	return nil
}
