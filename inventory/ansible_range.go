package inventory

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	bracketedPort = regexp.MustCompile(`^\[(.+)\]:([0-9]+)$`)
	namedPort     = regexp.MustCompile(`^((?:[^:\[\]]|\[[^\]]*\])*):([0-9]+)$`)
)

// expandHosts returns the hosts of a pattern such as leaf[01:50].example.net:2222, and the port, 0 where there is none. A
// bare IPv6 address has no port. room is how many hosts ranges may make, and is lessened by them.
func expandHosts(pattern string, room *int) (hosts []string, port int, err error) {
	for _, form := range []*regexp.Regexp{bracketedPort, namedPort} {
		if m := form.FindStringSubmatch(pattern); m != nil {
			if port, err = parsePort(m[2]); err != nil {
				return nil, 0, err
			}
			pattern = m[1]
			break
		}
	}
	if strings.HasSuffix(pattern, ":") && !strings.HasSuffix(pattern, "::") {
		return nil, 0, errors.New("after the colon there is no port")
	}
	if !strings.Contains(pattern, "[") {
		return []string{pattern}, port, nil // the file bounds how many of these there are
	}
	hosts, err = expandRanges(pattern, room)
	return hosts, port, err
}

// expandRanges replaces each [first:last] and [first:last:step] by all that it stands for, both ends included.
func expandRanges(pattern string, room *int) ([]string, error) {
	head, rest, ok := strings.Cut(pattern, "[")
	if !ok {
		if *room--; *room < 0 {
			return nil, errRoom
		}
		return []string{pattern}, nil
	}
	bounds, tail, ok := strings.Cut(rest, "]")
	if !ok {
		return nil, errors.New("a range is [first:last] or [first:last:step]: there is no ]")
	}
	items, err := rangeItems(bounds, *room)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, item := range items {
		hosts, err := expandRanges(head+item+tail, room)
		if err != nil {
			return nil, err
		}
		all = append(all, hosts...)
	}
	return all, nil
}

// errRoom says that there are too many hosts to be meant.
var errRoom = fmt.Errorf("the ranges of this line and those before it make more than %d hosts, which is hardly meant", maxExpand)

// rangeLetters are the letters of a range such as [a:f] in their order.
const rangeLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// rangeItems returns what stands between the ends of a range: numbers, as wide as the first where that begins with a zero,
// or letters. room is how many there may be.
func rangeItems(bounds string, room int) ([]string, error) {
	parts := strings.Split(bounds, ":")
	if len(parts) != 2 && len(parts) != 3 {
		return nil, errors.New("a range is [first:last] or [first:last:step]")
	}
	begin, end, step := parts[0], parts[1], 1
	if begin == "" {
		begin = "0"
	}
	if len(parts) == 3 {
		n, err := strconv.Atoi(parts[2])
		if err != nil || n < 1 {
			return nil, errors.New("the step of a range is a whole number from 1")
		}
		step = n
	}
	from, to, item := strings.Index(rangeLetters, begin), strings.Index(rangeLetters, end), func(i int) string { return rangeLetters[i : i+1] }
	if len(begin) != 1 || len(end) != 1 || from < 0 || to < 0 {
		var err error
		if from, to, err = rangeNumbers(begin, end); err != nil {
			return nil, err
		}
		width := 0
		if begin[0] == '0' && len(begin) > 1 {
			width = len(begin)
		}
		item = func(i int) string { return fmt.Sprintf("%0*d", width, i) }
	}
	switch {
	case from > to:
		return nil, errors.New("a range begins with its smaller end")
	case (to-from)/step >= room:
		return nil, errRoom
	}
	var items []string
	for i := from; i <= to; i += step {
		items = append(items, item(i))
	}
	return items, nil
}

func rangeNumbers(begin, end string) (from, to int, err error) {
	first, err1 := strconv.ParseUint(begin, 10, 32)
	last, err2 := strconv.ParseUint(end, 10, 32)
	switch {
	case err1 != nil || err2 != nil:
		return 0, 0, errors.New("the ends of a range are two numbers or two letters")
	case begin[0] == '0' && len(begin) > 1 && len(begin) != len(end):
		return 0, 0, errors.New("the ends of a range with leading zeros are equally long")
	}
	return int(first), int(last), nil
}
