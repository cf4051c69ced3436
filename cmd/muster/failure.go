package main

import (
	"fmt"
	"strings"

	"github.com/musternet/muster"
)

// failureFields are the fields of a row that only a failed device has.
type failureFields struct {
	Stage string `json:"stage,omitempty"`
	Code  string `json:"code,omitempty"`
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
}

func fieldsOfFailure(f *muster.Failure) failureFields {
	if f == nil {
		return failureFields{}
	}
	fields := failureFields{Stage: string(f.Stage), Code: f.Code, Hint: f.Try()}
	if f.Err != nil {
		fields.Error = strings.TrimPrefix(f.Err.Error(), ownCredential+f.Device+": ")
	}
	return fields
}

// ownCredential is how the name of a credential begins that stands in a device's own row. Beside the device's name it says
// nothing new.
const ownCredential = "device/"

// cause is the failure in words, with the number of attempts where there was more than one.
func (f failureFields) cause(attempts int) string {
	if attempts > 1 {
		return fmt.Sprintf("%s (%d attempts)", f.Error, attempts)
	}
	return f.Error
}

// try is the line below a failure that says what to try; none where there is no hint.
func (f failureFields) try() []string {
	if f.Hint == "" {
		return nil
	}
	return []string{"try: " + f.Hint}
}

// canceled tells a device that an interrupted run did not come to from one that failed.
func (f failureFields) canceled() bool { return f.Stage == string(muster.StageCanceled) }
