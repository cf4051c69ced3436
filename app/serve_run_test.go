package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/internal/metrics"
)

// partly returns a server and the order in which its parts end, for parts that are given.
func partly(log *bytes.Buffer) *server {
	return &server{log: slog.New(slog.NewTextHandler(log, nil)), metrics: metrics.New("test")}
}

func waiting(name string, ends *[]string) part {
	return part{name, func(ctx context.Context) error {
		<-ctx.Done()
		*ends = append(*ends, name)
		return nil
	}}
}

func TestPartsEndInTheOtherOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var ends []string
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		err := partly(&log).runParts(ctx, []part{waiting("first", &ends), waiting("second", &ends), waiting("third", &ends)}, func() {})
		if got := strings.Join(ends, " "); err != nil || got != "third second first" {
			t.Errorf("got %s, %v", got, err)
		}
	})
}

func TestAPartThatBreaksEndsTheOthers(t *testing.T) {
	t.Parallel()
	broken := errors.New("no more disk")
	for name, c := range map[string]struct {
		breaks func(context.Context) error
		want   string
	}{
		"with an error":    {func(context.Context) error { return broken }, "the weak one has ended: no more disk"},
		"without a reason": {func(context.Context) error { return nil }, "the weak one has ended: without a reason"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			var ends []string
			err := partly(&log).runParts(t.Context(), []part{waiting("other", &ends), {"weak one", c.breaks}}, func() {})
			if !errors.Is(err, ErrStore) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %q", name, err, c.want)
			}
			if len(ends) != 1 {
				t.Errorf("%s: the other part did not end", name)
			}
		})
	}
}

func TestAPanicOfAPartIsNotWaitedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var ends []string
		defer func() {
			if recover() == nil || len(ends) != 1 {
				t.Error("the panic of a part was swallowed, or the other part did not end")
			}
		}()
		_ = partly(&log).runParts(t.Context(), []part{waiting("other", &ends), {"weak one", func(context.Context) error { panic("a mistake") }}}, func() {})
	})
}

func TestAPartThatTakesLongIsNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		slow := part{"slow one", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(stopTime + time.Second)
			return nil
		}}
		if err := partly(&log).runParts(ctx, []part{slow}, cancel); err != nil {
			t.Error(err)
		}
		if !strings.Contains(log.String(), `msg="a part takes long to end" part="slow one"`) {
			t.Errorf("the log says %s", &log)
		}
	})
}
