package alert

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/musternet/muster"
)

// LabelRevision is the label of an alert about a changed configuration: the revision, so that each change is an alert of
// its own and none hides behind one that still fires.
const LabelRevision = "revision"

// reserved are the labels that no tag may pass itself off as.
var reserved = []string{
	muster.LabelAlert, muster.LabelSeverity, muster.LabelDevice, muster.LabelGroup, muster.LabelPlatform,
	muster.LabelSource, LabelRevision,
}

// labelsOf joins the labels of an alert: each line below wins over those above.
func labelsOf(r *rule, dev muster.Device, own map[string]string) map[string]string {
	labels := map[string]string{muster.LabelSeverity: DefaultSeverity}
	if dev.Name != "" {
		addTags(labels, dev.Tags)
		labels[muster.LabelDevice] = dev.Name
		labels[muster.LabelGroup] = dev.GroupName()
		labels[muster.LabelPlatform] = dev.Platform
	}
	maps.Copy(labels, own)
	maps.Copy(labels, r.Labels)
	if labels[muster.LabelAlert] == "" {
		labels[muster.LabelAlert] = r.Name
	}
	maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
	for name, value := range labels {
		labels[name] = strings.ToValidUTF8(value, "\uFFFD")
	}
	return labels
}

// addTags adds tags; of two that give the same name the first in their order stays.
func addTags(labels, tags map[string]string) {
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		name := LabelName(tag)
		if _, ok := labels[name]; !ok {
			labels[name] = tags[tag]
		}
	}
}

// LabelName makes a label name of the name of a tag.
func LabelName(tag string) string {
	name := strings.Map(func(c rune) rune {
		if isLetter(c) || isDigit(c) {
			return c
		}
		return '_'
	}, tag)
	if name == "" || !isLetter(rune(name[0])) || slices.Contains(reserved, name) {
		name = "tag_" + name
	}
	return name
}

func isLetter(c rune) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c rune) bool  { return '0' <= c && c <= '9' }

// checkLabels looks at the labels of a Rule.
func checkLabels(labels map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		switch {
		case name == muster.LabelAlert:
			return errors.New("the label alertname is the rule's name: change that")
		case name == muster.LabelDevice:
			return errors.New("the label device is the device's name, and no rule's")
		case strings.TrimLeft(name, "_") == "" || strings.HasPrefix(name, "__") || LabelName("x"+name) != "x"+name || isDigit(rune(name[0])):
			return fmt.Errorf("label %q: a name has letters, digits and _, and begins with a letter or one _", name)
		case strings.ToValidUTF8(labels[name], "") != labels[name]:
			return fmt.Errorf("label %s: its value is no UTF-8", name)
		}
	}
	return nil
}
