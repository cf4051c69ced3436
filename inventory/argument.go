package inventory

import (
	"context"

	"github.com/musternet/muster"
)

// Argument makes a device of a name that no inventory knows, as `ssh NAME` would: the name's settings in ~/.ssh/config,
// its wildcard blocks included, over what Env.Argument and the defaults say; user and port that stand in the argument
// itself come first. It asks no network.
func Argument(ctx context.Context, arg string, env *Env) (muster.Device, error) {
	if err := ctx.Err(); err != nil {
		return muster.Device{}, context.Cause(ctx)
	}
	t, err := parseTarget(arg)
	if err != nil {
		return muster.Device{}, err
	}
	read := env.ssh
	if read == nil {
		read = env.sshConfig
	}
	cfg, err := read()
	if err != nil {
		return muster.Device{}, err
	}
	row, err := cfg.entry(env, t.host)
	if err != nil {
		return muster.Device{}, err
	}
	row.Name = t.name()
	row.Username = first(t.user, first(env.Argument.Username, row.Username))
	row.Port = first(t.port, row.Port)
	row.Settings = row.Settings.over(env.Argument)
	return env.device(row, "argument")
}
