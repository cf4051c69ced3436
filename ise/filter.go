package ise

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Filter narrows a list down on ISE's side. The zero Filter lists all.
type Filter struct {
	// Match holds conditions in ERS's syntax, FIELD.OPERATOR.VALUE: "name.CONTAINS.phone", "groupId.EQ.aa0e8b20-...",
	// "mac.STARTSW.00:1B". Operators are EQ, NEQ, GT, LT, STARTSW, NSTARTSW, ENDSW, NENDSW, CONTAINS and NCONTAINS. Which
	// fields a resource can be filtered by differs, and ISE refuses the others; name is almost always one of them.
	Match []string
	// Any lists what meets one of the conditions; without it all must be met.
	Any bool
	// Sort is a field to sort by, with a "-" before it from high to low. Without it the order is ISE's own.
	Sort string
}

var operators = []string{"EQ", "NEQ", "GT", "LT", "STARTSW", "NSTARTSW", "ENDSW", "NENDSW", "CONTAINS", "NCONTAINS"}

// query returns the filter as parameters of a URL. What cannot be a filter is an ErrInvalid, before anything is asked.
func (f Filter) query() (url.Values, error) {
	q := url.Values{}
	for _, m := range f.Match {
		condition, err := parseMatch(m)
		if err != nil {
			return nil, err
		}
		q.Add("filter", condition)
	}
	if f.Any {
		q.Set("filtertype", "or")
	}
	switch field, down := strings.CutPrefix(f.Sort, "-"); {
	case f.Sort == "":
	case !isField(field):
		return nil, fmt.Errorf("%w: sort by %q: that is no name of a field", ErrInvalid, clip(field, 40))
	case down:
		q.Set("sortdsc", field)
	default:
		q.Set("sortasc", field)
	}
	return q, nil
}

// parseMatch checks a condition, and spells a MAC address as ISE compares it.
func parseMatch(m string) (string, error) {
	parts := strings.SplitN(m, ".", 3)
	if len(parts) != 3 || !isField(parts[0]) || parts[2] == "" {
		return "", fmt.Errorf("%w: filter %q: want FIELD.OPERATOR.VALUE, such as name.CONTAINS.phone", ErrInvalid, clip(m, 80))
	}
	operator := strings.ToUpper(parts[1])
	if !slices.Contains(operators, operator) {
		return "", fmt.Errorf("%w: filter %q: unknown operator, there are %s", ErrInvalid, clip(m, 80), strings.Join(operators, ", "))
	}
	value := parts[2]
	if mac, err := ParseMAC(value); err == nil && strings.EqualFold(parts[0], "mac") {
		value = mac
	}
	return parts[0] + "." + operator + "." + value, nil
}

// isField says whether s may be the name of a field: letters, digits and underscores.
func isField(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}
