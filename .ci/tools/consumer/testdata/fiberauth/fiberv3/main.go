package main

import (
	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

func main() {
	app := fiber.New()
	app.Use("/*", fiberauth.Authenticate(newGuard()))
	app.Get("/me", func(c fiber.Ctx) error { return c.SendString(fiberauth.Principal(c).ID()) })
	panic(app.Listen("127.0.0.1:8080"))
}
