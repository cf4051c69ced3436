package main

import (
	"runtime/debug"
	"testing"
)

func TestVersionIsThatOfTheBuild(t *testing.T) {
	t.Parallel()
	vcs := []debug.BuildSetting{{Key: "vcs.revision", Value: "474a39f"}, {Key: "vcs.time", Value: "2026-11-22T12:45:39Z"}}
	changed := append(vcs[:2:2], debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	for name, c := range map[string]struct {
		linked, module string
		settings       []debug.BuildSetting
		want           versionRow
	}{
		"a release":                   {"v1.2.3", "v1.2.3", vcs, versionRow{Version: "v1.2.3", Commit: "474a39f", Date: "2026-11-22T12:45:39Z"}},
		"a build of what has changed": {"v1.2.3-dirty", "", changed, versionRow{Version: "v1.2.3-dirty", Commit: "474a39f+changes", Date: "2026-11-22T12:45:39Z"}},
		"go install of a version":     {"dev", "v1.2.3", nil, versionRow{Version: "v1.2.3"}},
		"sources without git":         {"dev", "(devel)", nil, versionRow{Version: "dev"}},
		"a build that noted nothing":  {"dev", "", nil, versionRow{Version: "dev"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := versionRow{Version: c.linked}
			got.fill(&debug.BuildInfo{Main: debug.Module{Version: c.module}, Settings: c.settings})
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
