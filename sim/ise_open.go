package sim

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
)

// open does what a request to OpenAPI asks for. path is that below /api/v1, part by part.
func (d *iseData) open(r *http.Request, path []string, counts *iseCounters) iseAnswer {
	switch {
	case r.Method == http.MethodGet && slices.Equal(path, []string{"policy", "network-access", "policy-set"}):
		return iseAnswer{status: http.StatusOK, body: map[string]any{"version": "1.0.0", "response": d.policies}}
	case r.Method == http.MethodGet && slices.Equal(path, []string{"endpoint"}):
		return d.openEndpoints(r)
	case r.Method == http.MethodPost && slices.Equal(path, []string{"endpoint", "bulk"}):
		return d.bulk(r, counts)
	case r.Method == http.MethodGet && len(path) == 2 && path[0] == "task":
		d.mu.RLock()
		defer d.mu.RUnlock()
		if status, ok := d.tasks[path[1]]; ok {
			return iseAnswer{status: http.StatusOK, body: status}
		}
	}
	return iseAnswer{status: http.StatusNotFound, title: "Not found", code: codeMissing}
}

// openEndpoints answers with a page of endpoints and all their fields, in a list without a total.
func (d *iseData) openEndpoints(r *http.Request) iseAnswer {
	d.mu.RLock()
	defer d.mu.RUnlock()
	size, page, ok := pageOf(r)
	found, err := d.resources["endpoint"].matching(r)
	if err != nil || !ok {
		return problem(http.StatusBadRequest, "Illegal values for size, page or filter", codeValidation)
	}
	list := []any{}
	for _, o := range found[min((page-1)*size, len(found)):min(page*size, len(found))] {
		all := o.all()
		all["vendor"], all["ipAddress"], all["customAttributes"] = "Simulated", nil, map[string]any{}
		list = append(list, all)
	}
	return iseAnswer{status: http.StatusOK, body: list}
}

// bulkLimit is the most endpoints of a bulk request.
const bulkLimit = 500

// bulk makes endpoints, and tells what became of each under the id of a task.
func (d *iseData) bulk(r *http.Request, counts *iseCounters) iseAnswer {
	body, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	var list []map[string]any
	if err != nil || json.Unmarshal(body, &list) != nil || len(list) > bulkLimit {
		return problem(http.StatusBadRequest, "A list of at most 500 endpoints is expected", codeValidation)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	details, made := []any{}, 0
	for _, fields := range list {
		detail := map[string]any{"name": fields["mac"], "status": "SUCCESS", "description": ""}
		if o, refused := d.insert(d.resources["endpoint"], maps.Clone(fields)); refused.status != 0 {
			detail["status"], detail["description"] = "FAIL", refused.title
		} else {
			detail["id"] = o.id
			made++
		}
		details = append(details, detail)
	}
	counts.created.Add(int64(made))
	d.made++
	id := d.uuid(d.made)
	d.tasks[id] = map[string]any{
		"id": id, "executionStatus": "COMPLETED", "moduleType": "Endpoint", "resourcesCount": len(list),
		"successCount": made, "failCount": len(list) - made, "detailStatus": details,
	}
	return iseAnswer{status: http.StatusAccepted, body: map[string]any{"id": id}}
}
