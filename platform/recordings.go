package platform

import (
	"embed"
	"io/fs"
	"sync"
)

//go:embed testdata/*/*.txtar
var recordingFiles embed.FS

// Recordings returns all recordings that come with the binary, sorted by platform and file name.
func Recordings() []*Recording { return allRecordings() }

// allRecordings parses the embedded files once. A file that does not parse cannot be in a binary whose tests passed.
var allRecordings = sync.OnceValue(func() []*Recording {
	names, err := fs.Glob(recordingFiles, "testdata/*/*.txtar")
	if err != nil {
		panic(err)
	}
	recordings := make([]*Recording, len(names))
	for i, name := range names {
		data, err := recordingFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		if recordings[i], err = ParseRecording(data); err != nil {
			panic(name + ": " + err.Error())
		}
	}
	return recordings
})
