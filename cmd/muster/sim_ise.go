package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

// iseSim are the flags of a simulated ISE.
type iseSim struct {
	on        bool
	endpoints int
	listen    string
	caFile    string
	envFile   string
}

func (s *iseSim) define(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&s.on, "ise", false, "simulate a Cisco ISE instead of a fleet")
	f.IntVar(&s.endpoints, "endpoints", 1000, "`N` endpoints that the ISE has")
	f.StringVar(&s.listen, "listen", "127.0.0.1:0", "`ADDRESS` on which the ISE serves")
	f.StringVar(&s.caFile, "ca-file", "", "write the authority of the ISE's certificate to `FILE` (default: a temporary file)")
	f.StringVar(&s.envFile, "env-file", "", "write the lines that point to the ISE to `FILE` too, for sh to read")
}

// alone refuses the flags of an ISE where there is none.
func (s *iseSim) alone(c *cobra.Command) error {
	for _, name := range []string{"endpoints", "listen", "ca-file", "env-file"} {
		if c.Flags().Changed(name) {
			return usage("--%s goes with --ise", name)
		}
	}
	return nil
}

// iseLogin is what one needs to ask a simulated ISE.
type iseLogin struct {
	URL      string `json:"url"`
	Username string `json:"username"`
	Password string `json:"password"`
	CAFile   string `json:"ca_file"`
}

// lines are the login as sh reads it.
func (l iseLogin) lines() string {
	var b strings.Builder
	for _, v := range [][2]string{
		{"MUSTER_ISE_URL", l.URL}, {"MUSTER_ISE_USERNAME", l.Username}, {"MUSTER_ISE_PASSWORD", l.Password}, {"MUSTER_ISE_CA_FILE", l.CAFile},
	} {
		b.WriteString("export " + v[0] + "=" + quoted(v[1]) + "\n")
	}
	return b.String()
}

// simulateISE serves until ctx ends.
func (p *program) simulateISE(ctx context.Context, s *iseSim, seed uint64, latency time.Duration, faults []string) (err error) {
	config := sim.ISEConfig{Endpoints: s.endpoints, Seed: seed, Latency: latency, Listen: s.listen}
	for _, text := range faults {
		share, err := sim.ParseISEShare(text)
		if err != nil {
			return usage("%v", err)
		}
		config.Faults = append(config.Faults, share)
	}
	if s.caFile == "" {
		dir, err := os.MkdirTemp("", "muster-sim-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		s.caFile = filepath.Join(dir, "ise-ca.pem")
	}
	if s.caFile, err = filepath.Abs(s.caFile); err != nil {
		return usage("%v", err)
	}
	scopeErr := task.Scope(ctx, "ise", func(ctx context.Context, g *task.Group) error {
		i, startErr := sim.StartISE(ctx, g, config)
		if startErr != nil {
			err = usage("%v", startErr)
			return nil
		}
		defer i.Close()
		if err = p.tellISE(i, s); err == nil {
			<-ctx.Done()
			err = ctx.Err()
		}
		return nil
	})
	if err == nil && ctx.Err() == nil {
		err = scopeErr
	}
	return err
}

// tellISE says where the ISE is and how one logs in.
func (p *program) tellISE(i *sim.ISE, s *iseSim) error {
	if err := os.WriteFile(s.caFile, i.CA(), 0o644); err != nil {
		return usage("write the authority: %v", err)
	}
	user, password := i.Login()
	l := iseLogin{i.URL(), user, password, s.caFile}
	if s.envFile != "" {
		if err := os.WriteFile(s.envFile, []byte(l.lines()), 0o600); err != nil {
			return usage("write the login: %v", err)
		}
	}
	if p.format == formatJSON || p.format == formatNDJSON {
		text, err := encodeJSON(l, "")
		if err != nil {
			return err
		}
		return p.print(string(text) + "\n")
	}
	if err := p.print(l.lines()); err != nil {
		return err
	}
	p.hint("A simulated ISE with %d endpoints is ready, until Ctrl-C. With these lines, in another terminal: muster ise summary", s.endpoints)
	return nil
}
