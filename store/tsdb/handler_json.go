package tsdb

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/stats"
)

// success is a response with data, byte for byte as Prometheus writes it.
func success(a answer, query string) []byte {
	body := append([]byte(`{"status":"success","data":`), a.data...)
	warnings, infos := a.notes.AsStrings(query, maxNotes, maxNotes)
	body = appendNotes(body, "warnings", warnings)
	body = appendNotes(body, "infos", infos)
	return append(body, '}')
}

func failure(err error) (status int, body []byte) {
	kind := kindOf(err)
	body = append([]byte(`{"status":"error","errorType":"`), kind...)
	body = append(body, `","error":`...)
	body = appendText(body, err.Error())
	return statusOf[kind], append(body, '}')
}

func appendNotes(b []byte, name string, notes []string) []byte {
	if len(notes) == 0 {
		return b
	}
	b = append(append(append(b, `,"`...), name...), `":`...)
	return appendTexts(b, notes)
}

// appendTexts writes names and sentences; unlike labels they come with <, > and & escaped.
func appendTexts(b []byte, all []string) []byte {
	b = append(b, '[')
	for i, s := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, s)
	}
	return append(b, ']')
}

func appendText(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil { // a string always can
		return append(b, `""`...)
	}
	return append(b, text...)
}

// truncate leaves limit series, if there are more. 0: no limit.
func truncate(v *parser.Value, limit int) bool {
	if limit == 0 {
		return false
	}
	switch all := (*v).(type) {
	case promql.Vector:
		if len(all) > limit {
			*v = all[:limit]
			return true
		}
	case promql.Matrix:
		if len(all) > limit {
			*v = all[:limit]
			return true
		}
	}
	return false
}

// appendValue writes the data of a query but for the closing brace.
func appendValue(b []byte, v parser.Value) ([]byte, error) {
	b = append(append(b, `{"resultType":"`...), v.Type()...)
	b = append(b, `","result":`...)
	switch v := v.(type) {
	case promql.Vector:
		return appendVector(b, v), nil
	case promql.Matrix:
		return appendMatrix(b, v), nil
	case promql.Scalar, promql.String:
		text, err := json.Marshal(v)
		return append(b, text...), err
	}
	return nil, fmt.Errorf("a result of type %s cannot be written", v.Type())
}

func appendStats(b []byte, s stats.QueryStats) ([]byte, error) {
	text, err := json.Marshal(s)
	return append(append(b, `,"stats":`...), text...), err
}

func appendVector(b []byte, v promql.Vector) []byte {
	b = append(b, '[')
	for i, s := range v {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendLabels(append(b, `{"metric":`...), s.Metric)
		b = appendPoint(append(b, `,"value":`...), s.T, s.F)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendMatrix(b []byte, m promql.Matrix) []byte {
	b = append(b, '[')
	for i, s := range m {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendLabels(append(b, `{"metric":`...), s.Metric)
		b = append(b, `,"values":[`...)
		for j, p := range s.Floats {
			if j > 0 {
				b = append(b, ',')
			}
			b = appendPoint(b, p.T, p.F)
		}
		b = append(b, "]}"...)
	}
	return append(b, ']')
}

func appendLabels(b []byte, l labels.Labels) []byte {
	b = append(b, '{')
	first := true
	l.Range(func(l labels.Label) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendPlain(b, l.Name), ':')
		b = appendPlain(b, l.Value)
	})
	return append(b, '}')
}

// appendPlain writes a text whose only escapes are those JSON demands.
func appendPlain(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"', c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c < ' ':
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// appendPoint writes [1435781451.781,"1.5"].
func appendPoint(b []byte, ms int64, value float64) []byte {
	b = append(b, '[')
	if ms < 0 {
		b, ms = append(b, '-'), -ms
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	if part := ms % 1000; part != 0 {
		b = fmt.Appendf(b, ".%03d", part)
	}
	format := byte('f')
	if abs := math.Abs(value); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	b = append(b, `,"`...)
	b = strconv.AppendFloat(b, value, format, -1, 64)
	return append(b, `"]`...)
}
