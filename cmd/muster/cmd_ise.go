package main

import (
	"context"
	"errors"
	"iter"

	"github.com/spf13/cobra"

	"github.com/musternet/muster/app"
)

func (p *program) iseCommand() *cobra.Command {
	var o app.ISEOptions
	c := &cobra.Command{
		Use:   "ise",
		Short: "Ask Cisco ISE what it has, and add endpoints to it",
		Example: `  muster ise summary
  muster ise endpoints ls --group Printers -o ndjson
  muster ise endpoint add AA:BB:CC:00:11:22 --group Printers
  muster ise import endpoints.csv --dry-run`,
		Args: cobra.ArbitraryArgs,
		RunE: groupHelp,
	}
	f := c.PersistentFlags()
	f.IntVar(&o.Connections, "connections", 0, "`N` requests at once (default: the settings', or 8)")
	f.IntVar(&o.Rate, "rate", 0, "`N` requests a second (default: the settings', or 90)")
	f.BoolVar(&o.Insecure, "insecure", false, "take any certificate: whoever stands in between gets the password")
	c.AddCommand(p.iseSummaryCommand(&o), p.iseEndpointsCommand(&o), p.iseGroupsCommand(&o), p.isePoliciesCommand(&o), p.iseDevicesCommand(&o),
		p.iseEndpointCommand(&o), p.iseImportCommand(&o))
	return c
}

// withISE opens ISE for body.
func (p *program) withISE(o *app.ISEOptions, body func(*app.ISE) error) error {
	i, err := app.OpenISE(p.options(), *o)
	if err != nil {
		return err
	}
	defer i.Close()
	err = body(i)
	if code := app.ISECode(err); code != "" && !told(err) {
		return &codedError{code, err}
	}
	return err
}

// codedError is an error with the stable word for it in front.
type codedError struct {
	code string
	err  error
}

func (e *codedError) Error() string { return e.code + ": " + e.err.Error() }

func (e *codedError) Unwrap() error { return e.err }

func (p *program) iseSummaryCommand(o *app.ISEOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "summary",
		Short: "Ask for endpoints, groups and policies at once",
		Long: `Ask for endpoints, groups and policies at once. One that fails leaves the others as they are. People are told how many there are; with
-o json there are the items too.`,
		Example: `  muster ise summary
  muster ise summary -o json | jq -r '.policies.items[].name'`,
		Args: takes(0, 0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withISE(o, func(i *app.ISE) error { return p.iseSummary(c.Context(), i) })
		},
	}
}

func (p *program) iseSummary(ctx context.Context, i *app.ISE) error {
	s := i.Summary(ctx, p.format == formatJSON)
	if ctx.Err() != nil {
		return interruptedOr(ctx, 0)
	}
	var err error
	if p.format == formatJSON {
		text, failed := encodeJSON(s, "  ")
		if failed != nil {
			return failed
		}
		err = p.print(string(text) + "\n")
	} else {
		err = all(p, isePartView(), isePartRows(s))
	}
	errs := s.Errs()
	switch {
	case err != nil:
		return err
	case len(errs) == 3: // ISE as a whole
		return &toldError{errs[0]}
	case len(errs) > 0:
		return errSomeFailed
	}
	return nil
}

// iseList is a command that lists one kind of things, and one that gets one of them.
type iseList[R any] struct {
	name, one, arg string
	long           string
	view           view[R]
	list           func(*app.ISE, context.Context, app.ISEQuery) iter.Seq2[R, error]
	get            func(*app.ISE, context.Context, string) (R, error)
	flags          func(*cobra.Command, *app.ISEQuery) // beside those of filters
}

func (l iseList[R]) command(p *program, o *app.ISEOptions) *cobra.Command {
	c := &cobra.Command{
		Use:     l.name,
		Short:   "List ISE's " + l.name + ", or get one",
		Example: "  muster ise " + l.name + " ls",
		Args:    cobra.ArbitraryArgs,
		RunE:    groupHelp,
	}
	c.AddCommand(l.ls(p, o), &cobra.Command{
		Use:     "get " + l.arg,
		Short:   "Get one " + l.one + " with all that ISE knows",
		Example: "  muster ise " + l.name + " get " + l.arg + " -o json",
		Args:    takes(1, 1, "one "+l.arg),
		RunE: func(c *cobra.Command, args []string) error {
			return p.withISE(o, func(i *app.ISE) error {
				row, err := l.get(i, c.Context(), args[0])
				if err != nil {
					return err
				}
				return all(p, l.view, []R{row})
			})
		},
	})
	return c
}

func (l iseList[R]) ls(p *program, o *app.ISEOptions) *cobra.Command {
	var q app.ISEQuery
	c := &cobra.Command{
		Use:     "ls",
		Short:   "List the " + l.name,
		Long:    "List the " + l.name + ", in ISE's order. " + l.long,
		Example: "  muster ise " + l.name + " ls -o ndjson",
		Args:    takes(0, 0, "no argument; --filter narrows it down"),
	}
	if l.flags != nil {
		l.flags(c, &q)
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		return p.withISE(o, func(i *app.ISE) error {
			out := newOutput(p, l.view)
			for row, err := range l.list(i, c.Context(), q) {
				if err == nil {
					err = out.add(out.taken, row)
				}
				if err != nil { // what came is printed all the same
					return errors.Join(err, out.end(count{out.taken}, ""))
				}
			}
			return out.end(count{out.taken}, "")
		})
	}
	return c
}

// filterFlags are the flags of lists that ISE filters.
func filterFlags(c *cobra.Command, q *app.ISEQuery) {
	f := c.Flags()
	f.StringArrayVar(&q.Match, "filter", nil, "`FIELD.OPERATOR.VALUE` as ISE has it, such as name.STARTSW.AA:BB (repeatable: all must hold)")
	f.BoolVar(&q.Any, "any", false, "one of the filters is enough")
	f.BoolVar(&q.Full, "full", false, "read all that ISE knows of each, and not only what its list gives")
}

const iseLists = `ISE's lists give the id, the name and the description; --full reads the rest: `

func (p *program) iseEndpointsCommand(o *app.ISEOptions) *cobra.Command {
	return iseList[app.ISEEndpoint]{
		name: "endpoints", one: "endpoint", arg: "MAC|ID", view: iseEndpointView(), list: (*app.ISE).Endpoints, get: (*app.ISE).Endpoint,
		long: iseLists + "page by page where\nISE has OpenAPI, with one request for each where it is older. What --full -o csv prints, muster ise import takes.",
		flags: func(c *cobra.Command, q *app.ISEQuery) {
			filterFlags(c, q)
			c.Flags().StringVar(&q.Group, "group", "", "those of one group alone, by its `NAME|ID`")
		},
	}.command(p, o)
}

func (p *program) iseGroupsCommand(o *app.ISEOptions) *cobra.Command {
	return iseList[app.ISEGroup]{
		name: "groups", one: "endpoint group", arg: "NAME|ID", view: iseGroupView(), list: (*app.ISE).Groups, get: (*app.ISE).Group,
		long: iseLists + "one\nrequest for each.", flags: filterFlags,
	}.command(p, o)
}

func (p *program) iseDevicesCommand(o *app.ISEOptions) *cobra.Command {
	return iseList[app.ISEDevice]{
		name: "devices", one: "network device", arg: "NAME|ID", view: iseDeviceView(), list: (*app.ISE).Devices, get: (*app.ISE).Device,
		long: iseLists + "addresses,\ngroups and model, with one request for each. Their secrets are never shown.", flags: filterFlags,
	}.command(p, o)
}

func (p *program) isePoliciesCommand(o *app.ISEOptions) *cobra.Command {
	return iseList[app.ISEPolicy]{
		name: "policies", one: "policy set", arg: "NAME|ID", view: isePolicyView(), list: isePolicies, get: (*app.ISE).Policy,
		long: "They are the policy sets for network access, by rank. ISE tells them from 3.1 on.",
	}.command(p, o)
}

// isePolicies yields what comes in one answer.
func isePolicies(i *app.ISE, ctx context.Context, _ app.ISEQuery) iter.Seq2[app.ISEPolicy, error] {
	return func(yield func(app.ISEPolicy, error) bool) {
		rows, err := i.Policies(ctx)
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
		if err != nil {
			yield(app.ISEPolicy{}, err)
		}
	}
}
