package platform

import (
	"context"

	"github.com/musternet/muster/session"
)

// Record talks to a device and returns the conversation as a Recording, with secrets masked.
func Record(ctx context.Context, addr string, d *Def, c session.Config, o Options) (*Recording, error) {
	return nil, nil
}
