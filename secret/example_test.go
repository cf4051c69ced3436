package secret_test

import (
	"context"
	"fmt"

	"github.com/musternet/muster/secret"
)

func Example() {
	ask := secret.AskOnce(func(context.Context, string) (secret.Secret, error) {
		return secret.New("correct horse"), nil // a real one reads from the terminal without echo
	})
	password, err := secret.Open("prompt:Password for the routers", ask)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := password.Secret(context.Background())
	fmt.Println(password, s, len(s.Reveal()), err)
	// Output: prompt:Password for the routers *** 13 <nil>
}

func ExampleOpener() {
	opener := &secret.Opener{Prompt: func(context.Context, string) (secret.Secret, error) {
		return secret.New("correct horse"), nil // a real one reads from the terminal without echo
	}}
	password, err := opener.Open("file:/no/such/file", "prompt:Password for the routers")
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := password.Secret(context.Background())
	fmt.Println(s, len(s.Reveal()), err)
	// Output: *** 13 <nil>
}
