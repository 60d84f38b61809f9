package main

import (
	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/ginauth"
)

func main() {
	app := gin.New()
	app.Use(ginauth.Authenticate(newGuard()))
	app.GET("/me", func(c *gin.Context) { c.String(200, ginauth.Principal(c).ID()) })
	panic(app.Run("127.0.0.1:8080"))
}
