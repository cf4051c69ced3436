package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/task"
)

// What a muster that serves answers on the socket in its data directory.
const (
	liveTasks    = "/live/tasks"
	liveStates   = "/live/states"
	liveRules    = "/live/rules"
	liveAlerts   = "/live/alerts"
	liveSilences = "/live/silences"
)

type liveError struct {
	Error string `json:"error"`
}

// liveTime bounds a question to the muster that serves.
const liveTime = 30 * time.Second

// errNotServing says that nobody serves the data directory.
var errNotServing = errors.New("no muster serves the data directory")

// ask asks the muster that serves the data directory. ErrStore where there is none.
func (a *App) ask(ctx context.Context, method, path string, query url.Values, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, liveTime)
	defer cancel()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: a.dialSocket}}
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://muster"+path+"?"+query.Encode(), content)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	switch {
	case errors.Is(err, errNotServing) && ctx.Err() == nil:
		return fmt.Errorf("%w: %w %s; start it with: muster serve", ErrStore, errNotServing, a.dir)
	case err != nil:
		return fmt.Errorf("%w: ask the muster that serves %s: %w", ErrStore, a.dir, err)
	}
	defer res.Body.Close()
	return understand(res, into)
}

// dialSocket reaches the muster that serves the data directory. errNotServing where there is none; whoever may not enter is
// told that.
func (a *App) dialSocket(ctx context.Context, _, _ string) (net.Conn, error) {
	path, release, err := socketPath(a.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errNotServing
	}
	if err != nil {
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil && ctx.Err() == nil && !errors.Is(err, os.ErrPermission) {
		err = errNotServing
	}
	return conn, errors.Join(err, release())
}

// understand reads an answer.
func understand(res *http.Response, into any) error {
	if res.StatusCode == http.StatusOK {
		if into == nil {
			return nil
		}
		return json.NewDecoder(res.Body).Decode(into)
	}
	var said liveError
	if err := json.NewDecoder(res.Body).Decode(&said); err != nil {
		return fmt.Errorf("%w: the muster that serves says %s", ErrStore, res.Status)
	}
	for status, kind := range map[int]error{http.StatusBadRequest: ErrUsage, http.StatusNotFound: ErrNothing} {
		if res.StatusCode == status {
			return fmt.Errorf("%w: %s", kind, strings.TrimPrefix(said.Error, kind.Error()+": "))
		}
	}
	return fmt.Errorf("%w: %s", ErrStore, strings.TrimPrefix(said.Error, ErrStore.Error()+": "))
}

// TaskInfo is one task of the live tree of the muster that serves.
type TaskInfo struct {
	Depth  int       `json:"depth"`
	Name   string    `json:"name"`
	Status string    `json:"status"`
	Since  time.Time `json:"since"`
}

// Tasks is the live task tree of this process.
func Tasks() []TaskInfo {
	all := []TaskInfo{}
	for i := range task.Tasks() {
		all = append(all, TaskInfo{i.Depth, i.Name, i.Status, i.Since.UTC()})
	}
	return all
}

// LiveTasks is the task tree of the muster that serves the data directory.
func (a *App) LiveTasks(ctx context.Context) (tasks []TaskInfo, err error) {
	return tasks, a.ask(ctx, http.MethodGet, liveTasks, nil, nil, &tasks)
}

// Watched is what a muster that serves knows of a device.
type Watched struct {
	Device  string                  `json:"device"`
	Address string                  `json:"address"`
	State   muster.Health           `json:"state"`
	Since   *time.Time              `json:"since"`
	Loss    float64                 `json:"loss"`   // of the last probes, 0 to 1
	RTT     *int64                  `json:"rtt_us"` // of the last answer
	Probes  map[string]ProbeOutcome `json:"probes"`
	Reason  string                  `json:"reason"`
	Quiet   string                  `json:"quiet"` // why nobody is alarmed: "maintenance", "flapping"
}

// ProbeOutcome is the last outcome of one probe.
type ProbeOutcome struct {
	State  muster.Health `json:"state"`
	RTT    *int64        `json:"rtt_us"`
	Detail string        `json:"detail"`
	Code   string        `json:"code"`
	Error  string        `json:"error"`
}

// LiveStates are the states that the muster that serves knows, by name.
func (a *App) LiveStates(ctx context.Context) (states []Watched, err error) {
	return states, a.ask(ctx, http.MethodGet, liveStates, nil, nil, &states)
}

// AlertRow is an alert that fires, or is about to.
type AlertRow struct {
	Name      string            `json:"name"`
	Severity  string            `json:"severity"`
	Device    string            `json:"device"`
	State     string            `json:"state"` // pending, firing, silenced, inhibited
	Since     time.Time         `json:"since"`
	Count     string            `json:"count"` // how often it was seen
	Summary   string            `json:"summary"`
	Labels    map[string]string `json:"labels"`
	Receivers []string          `json:"receivers"`
}

// LiveAlerts are the alerts that fire.
func (a *App) LiveAlerts(ctx context.Context, matchers []string) (alerts []AlertRow, err error) {
	return alerts, a.ask(ctx, http.MethodGet, liveAlerts, url.Values{"matcher": matchers}, nil, &alerts)
}

// LivePending are the alerts that the rules know: also those that do not fire yet and those that have just ended.
func (a *App) LivePending(ctx context.Context) (alerts []AlertRow, err error) {
	return alerts, a.ask(ctx, http.MethodGet, liveRules, nil, nil, &alerts)
}

// SilenceRow is a silence.
type SilenceRow struct {
	ID       string    `json:"id"`
	Matchers []string  `json:"matchers"`
	Starts   time.Time `json:"starts"`
	Ends     time.Time `json:"ends"`
	Author   string    `json:"author"`
	Comment  string    `json:"comment"`
	State    string    `json:"state"`
}

// SilenceWish is a silence to be made.
type SilenceWish struct {
	Matchers []string  `json:"matchers"`
	Until    time.Time `json:"until"`
	Author   string    `json:"author"`
	Comment  string    `json:"comment"`
}

// LiveSilences are all silences.
func (a *App) LiveSilences(ctx context.Context) (silences []SilenceRow, err error) {
	return silences, a.ask(ctx, http.MethodGet, liveSilences, nil, nil, &silences)
}

// Silence makes a silence and returns its id.
func (a *App) Silence(ctx context.Context, wish SilenceWish) (id string, err error) {
	return id, a.ask(ctx, http.MethodPost, liveSilences, nil, wish, &id)
}

// Expire ends a silence.
func (a *App) Expire(ctx context.Context, id string) error {
	return a.ask(ctx, http.MethodDelete, liveSilences, url.Values{"id": {id}}, nil, nil)
}
