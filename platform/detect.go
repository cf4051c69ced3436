package platform

import (
	"context"

	"github.com/musternet/muster/session"
)

// Detect logs in, looks at banner, prompt and the answers to a few harmless commands, and says which platform it is;
// *session.Error with code platform-unknown where none fits.
func Detect(ctx context.Context, addr string, c session.Config, o Options) (*Def, error) {
	return nil, nil
}
