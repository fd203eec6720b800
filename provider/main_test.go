package provider_test

import (
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

func TestMain(m *testing.M) { acctest.Main(m) }
