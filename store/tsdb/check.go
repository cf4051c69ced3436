package tsdb

import (
	"fmt"

	"github.com/musternet/muster/store"
)

// CheckExpr says what is wrong with a PromQL expression, with its place; such an error matches store.ErrQuery.
func CheckExpr(expr string) error {
	if _, err := language.ParseExpr(expr); err != nil {
		return fmt.Errorf("%w: %s", store.ErrQuery, inWords(expr, err))
	}
	return nil
}
