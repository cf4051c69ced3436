package platform

import (
	"slices"
	"strings"
)

// Section returns the section headers that line i of a configuration stands under, outermost first; nil at top level.
func (d *Def) Section(lines []string, i int) []string {
	if i < 0 || i >= len(lines) {
		return nil
	}
	switch d.file.Sections {
	case "paths":
		return nearest(lines, i, func(line string) bool { return strings.HasPrefix(line, "/") })
	case "files":
		return underFile(lines, i)
	}
	return byIndent(lines, i, 0)
}

// byIndent walks back to ever smaller indentation, down to that of no indentation or to line stop.
func byIndent(lines []string, i, stop int) []string {
	var headers []string
	depth := indent(lines[i])
	for j := i - 1; j >= stop && depth > 0; j-- {
		if n := indent(lines[j]); n < depth && !isFiller(lines[j]) {
			headers = append(headers, strings.TrimSpace(lines[j]))
			depth = n
		}
	}
	slices.Reverse(headers)
	return headers
}

// indent counts the blanks a line begins with; a tab counts as eight.
func indent(line string) int {
	n := 0
	for _, c := range line {
		switch c {
		case ' ':
			n++
		case '\t':
			n += 8
		default:
			return n
		}
	}
	return n
}

// isFiller reports whether a line opens nothing: a blank line, a comment, a closing brace.
func isFiller(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '!' || line[0] == '#' || line[0] == '}'
}

// nearest returns the last line before i that is a header, if i is none itself.
func nearest(lines []string, i int, header func(string) bool) []string {
	if header(lines[i]) {
		return nil
	}
	for j := i - 1; j >= 0; j-- {
		if header(lines[j]) {
			return []string{lines[j]}
		}
	}
	return nil
}

// underFile returns the file a line comes from, as tail prints its name, and the headers inside that file.
func underFile(lines []string, i int) []string {
	isFile := func(line string) bool { return strings.HasPrefix(line, "==> ") && strings.HasSuffix(line, " <==") }
	if isFile(lines[i]) {
		return nil
	}
	start := i
	for start > 0 && !isFile(lines[start-1]) {
		start--
	}
	inside := byIndent(lines, i, start)
	if start == 0 {
		return inside
	}
	file := strings.TrimSuffix(strings.TrimPrefix(lines[start-1], "==> "), " <==")
	return append([]string{file}, inside...)
}
