package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ers does what a request to ERS asks for. parts are those of its path below /ers/config.
func (d *iseData) ers(r *http.Request, parts []string, linkHost string, counts *iseCounters) iseAnswer {
	res := d.resources[parts[0]]
	if res == nil || len(parts) > 3 {
		return iseAnswer{status: http.StatusNotFound}
	}
	if r.Method == http.MethodGet {
		d.mu.RLock()
		defer d.mu.RUnlock()
		return d.read(r, res, parts[1:], linkHost)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return problem(http.StatusBadRequest, "the request was cut off", codeValidation)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case res.name == "ancendpoint" && len(parts) == 2 && r.Method == http.MethodPut:
		return d.anc(res, parts[1], body)
	case len(parts) == 1 && r.Method == http.MethodPost:
		return d.create(res, body, counts)
	case len(parts) == 2 && res.byID[parts[1]] == nil:
		return missing(parts[1])
	case len(parts) == 2 && r.Method == http.MethodPut:
		return d.update(res, res.byID[parts[1]], body, counts)
	case len(parts) == 2 && r.Method == http.MethodDelete:
		res.remove(res.byID[parts[1]])
		counts.deleted.Add(1)
		return iseAnswer{status: http.StatusNoContent}
	}
	return problem(http.StatusMethodNotAllowed, "Method not allowed", "Method not allowed")
}

// read answers a GET.
func (d *iseData) read(r *http.Request, res *iseResource, parts []string, linkHost string) iseAnswer {
	var o *iseObject
	switch {
	case len(parts) == 0:
		return d.list(r, res, linkHost)
	case len(parts) == 1 && parts[0] == "versioninfo":
		return iseAnswer{status: http.StatusOK, body: map[string]any{"VersionInfo": map[string]any{"currentServerVersion": "1.0", "supportedVersions": "1.0"}}}
	case len(parts) == 2 && parts[0] == "name":
		o = res.byName[strings.ToLower(parts[1])]
	case len(parts) == 1:
		o = res.byID[parts[0]]
	}
	if o == nil {
		return missing(parts[len(parts)-1])
	}
	all := o.all()
	all["link"] = link(linkHost, res.name, o.id)
	return iseAnswer{status: http.StatusOK, body: map[string]any{res.wrapper: all}}
}

func link(host, resource, id string) map[string]any {
	return map[string]any{"rel": "self", "href": "https://" + host + "/ers/config/" + resource + "/" + id, "type": "application/json"}
}

// list answers with a page, whose links carry the ISE's own name.
func (d *iseData) list(r *http.Request, res *iseResource, linkHost string) iseAnswer {
	size, page, ok := pageOf(r)
	if !ok {
		return problem(http.StatusBadRequest, "Illegal values for size or page", codeValidation)
	}
	found, err := res.matching(r)
	if err != nil {
		return problem(http.StatusBadRequest, err.Error(), codeValidation)
	}
	from := (page - 1) * size
	if from >= len(found) && page > 1 {
		return problem(http.StatusBadRequest, fmt.Sprintf("Page not exists exception: page %d", page), codeValidation)
	}
	entries := []any{}
	for _, o := range found[min(from, len(found)):min(from+size, len(found))] {
		entry := map[string]any{"id": o.id, "link": link(linkHost, res.name, o.id)}
		if res.name != "ancendpoint" {
			entry["name"] = o.name
		}
		if o.description != "" {
			entry["description"] = o.description
		}
		entries = append(entries, entry)
	}
	result := map[string]any{"total": len(found), "resources": entries}
	to := func(page int, rel string) map[string]any {
		query := r.URL.Query()
		query.Set("page", fmt.Sprint(page))
		return map[string]any{"rel": rel, "href": "https://" + linkHost + r.URL.Path + "?" + query.Encode(), "type": "application/json"}
	}
	if from+size < len(found) {
		result["nextPage"] = to(page+1, "next")
	}
	if page > 1 {
		result["previousPage"] = to(page-1, "previous")
	}
	return iseAnswer{status: http.StatusOK, body: map[string]any{"SearchResult": result}}
}

// pageOf reads which page of a list is wanted, and of what size.
func pageOf(r *http.Request) (size, page int, ok bool) {
	size, page = queryNumber(r, "size", 20), queryNumber(r, "page", 1)
	return size, page, size >= 1 && size <= 100 && page >= 1 && page <= mostPages
}

// mostPages is far above what there can be.
const mostPages = 1 << 24

// queryNumber reads a number in a query.
func queryNumber(r *http.Request, key string, otherwise int) int {
	n, err := strconv.Atoi(r.URL.Query().Get(key))
	if err != nil {
		return otherwise
	}
	return n
}

// matching returns the objects that the filters of a request let through, sorted as it wants.
func (res *iseResource) matching(r *http.Request) ([]*iseObject, error) {
	q := r.URL.Query()
	found := res.order
	if filters := q["filter"]; len(filters) > 0 {
		tests, err := res.tests(filters)
		if err != nil {
			return nil, err
		}
		some := q.Get("filtertype") == "or"
		found = nil
		for _, o := range res.order {
			hits := 0
			for _, test := range tests {
				if test(o) {
					hits++
				}
			}
			if hits == len(tests) || some && hits > 0 {
				found = append(found, o)
			}
		}
	}
	if up, down := q.Get("sortasc"), q.Get("sortdsc"); up != "" || down != "" {
		found = slices.SortedFunc(slices.Values(found), func(a, b *iseObject) int { return cmp.Compare(a.name, b.name) })
		if down != "" {
			slices.Reverse(found)
		}
	}
	return found, nil
}

// tests reads filters, FIELD.OPERATOR.VALUE. A field is one that the first object has.
func (res *iseResource) tests(filters []string) ([]func(*iseObject) bool, error) {
	var tests []func(*iseObject) bool
	for _, f := range filters {
		parts := strings.SplitN(f, ".", 3)
		if len(parts) != 3 {
			return nil, fmt.Errorf("illegal filter %s", f)
		}
		operator, not := strings.CutPrefix(parts[1], "N")
		compare, ok := map[string]func(s, value string) bool{
			"EQ": strings.EqualFold, "STARTSW": strings.HasPrefix, "ENDSW": strings.HasSuffix, "CONTAINS": strings.Contains,
		}[operator]
		if !ok {
			return nil, fmt.Errorf("illegal operator in filter %s", f)
		}
		if len(res.order) > 0 && !res.order[0].has(parts[0]) {
			return nil, fmt.Errorf("illegal field name %s", parts[0])
		}
		tests = append(tests, func(o *iseObject) bool { return compare(o.field(parts[0]), parts[2]) != not })
	}
	return tests, nil
}

// has says whether there is a field to filter by.
func (o *iseObject) has(name string) bool {
	if name == "name" || name == "description" {
		return true
	}
	all := o.all()
	return all[name] != nil || all[iseOtherNames[name]] != nil
}

// iseOtherNames are fields that go by another name in filters than in objects.
var iseOtherNames = map[string]string{"mac": "macAddress"}

// field returns a field as text. The name of an endpoint is its MAC address, which spares making its fields.
func (o *iseObject) field(name string) string {
	switch {
	case name == "name", name == "mac" && o.fields == nil && o.made != nil:
		return o.name
	case name == "description":
		return o.description
	}
	all := o.all()
	if value, ok := all[name]; ok {
		return fmt.Sprint(value)
	}
	return fmt.Sprint(cmp.Or[any](all[iseOtherNames[name]], ""))
}

// create makes an object.
func (d *iseData) create(res *iseResource, body []byte, counts *iseCounters) iseAnswer {
	fields, problem := res.parse(body)
	if problem.status != 0 {
		return problem
	}
	o, refused := d.insert(res, fields)
	if refused.status != 0 {
		return refused
	}
	counts.created.Add(1)
	return iseAnswer{status: http.StatusCreated, location: "/ers/config/" + res.name + "/" + o.id}
}

// parse returns the fields inside of the right key.
func (res *iseResource) parse(body []byte) (map[string]any, iseAnswer) {
	var outer map[string]map[string]any
	if err := json.Unmarshal(body, &outer); err != nil || outer[res.wrapper] == nil {
		return nil, problem(http.StatusBadRequest, "The body is no "+res.wrapper, codeValidation)
	}
	return outer[res.wrapper], iseAnswer{}
}

var upperMAC = regexp.MustCompile(`^[0-9A-F]{2}(:[0-9A-F]{2}){5}$`)

// insert adds an object with these fields, unless something is wrong with them.
func (d *iseData) insert(res *iseResource, fields map[string]any) (*iseObject, iseAnswer) {
	name, _ := fields["name"].(string)
	if res.name == "endpoint" {
		mac, _ := fields["mac"].(string)
		if !upperMAC.MatchString(mac) {
			return nil, problem(http.StatusBadRequest, "Mac address is not valid: "+mac, codeValidation)
		}
		name = mac
		d.group(fields)
	}
	if name == "" {
		return nil, problem(http.StatusBadRequest, "Mandatory fields missing: [name]", codeValidation)
	}
	if there := res.byName[strings.ToLower(name)]; there != nil {
		return nil, problem(res.duplicate, "Unable to create "+res.name+" "+name+": it already exists", codeValidation)
	}
	description, _ := fields["description"].(string)
	for _, key := range []string{"id", "name", "description", "link"} {
		delete(fields, key)
	}
	return d.put(res.name, name, description, fields), iseAnswer{}
}

// group gives an endpoint the group Unknown, unless it is assigned statically.
func (d *iseData) group(fields map[string]any) {
	if static, _ := fields["staticGroupAssignment"].(bool); !static {
		fields["staticGroupAssignment"] = false
		if groups := d.resources["endpointgroup"].order; len(groups) > 0 {
			fields["groupId"] = groups[0].id
		}
	}
}

// update changes the fields that are given.
func (d *iseData) update(res *iseResource, o *iseObject, body []byte, counts *iseCounters) iseAnswer {
	fields, refused := res.parse(body)
	if refused.status != 0 {
		return refused
	}
	all := o.all()
	updated := []any{}
	for key, value := range fields {
		if key != "id" && key != "link" {
			updated = append(updated, map[string]any{"field": key, "oldValue": all[key], "newValue": value})
			all[key] = value
		}
	}
	if res.name == "endpoint" {
		d.group(all)
	}
	name, _ := all["name"].(string)
	delete(res.byName, strings.ToLower(o.name))
	o.name = cmp.Or(name, o.name)
	res.byName[strings.ToLower(o.name)] = o
	o.description, _ = all["description"].(string)
	for _, key := range []string{"id", "name", "description"} {
		delete(all, key)
	}
	o.fields = all
	counts.updated.Add(1)
	return iseAnswer{status: http.StatusOK, body: map[string]any{"UpdatedFieldsList": map[string]any{"updatedField": updated}}}
}

// anc applies an ANC policy to an endpoint, or clears it.
func (d *iseData) anc(res *iseResource, op string, body []byte) iseAnswer {
	var request struct {
		OperationAdditionalData struct {
			AdditionalData []struct{ Name, Value string }
		}
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return problem(http.StatusBadRequest, "The body is no OperationAdditionalData", codeValidation)
	}
	given := map[string]any{}
	for _, pair := range request.OperationAdditionalData.AdditionalData {
		given[pair.Name] = pair.Value
	}
	mac := fmt.Sprint(given["macAddress"])
	there := res.byName[strings.ToLower(mac)]
	switch {
	case op == "apply" && there != nil:
		return problem(http.StatusInternalServerError, "an ANC policy for "+mac+" already exists", codeValidation)
	case op == "apply":
		d.put(res.name, mac, "", given)
	case op == "clear" && there != nil:
		res.remove(there)
	default:
		return missing(mac)
	}
	return iseAnswer{status: http.StatusNoContent}
}
