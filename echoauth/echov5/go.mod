module github.com/sallyport-go/sallyport/echoauth/echov5

go 1.25.0

require (
	github.com/labstack/echo/v5 v5.4.6
	github.com/sallyport-go/sallyport/core v0.0.0
)

require golang.org/x/time v0.15.0 // indirect

replace github.com/sallyport-go/sallyport/core => ../../core
