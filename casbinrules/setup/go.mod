module github.com/sallyport-go/sallyport/casbinrules/setup

go 1.26.0

require go.yaml.in/yaml/v4 v4.0.0

replace (
	github.com/sallyport-go/sallyport/casbinrules => ../
	github.com/sallyport-go/sallyport/core => ../../core
	github.com/sallyport-go/sallyport/core/htpasswd => ../../core/htpasswd
	github.com/sallyport-go/sallyport/core/watch => ../../core/watch
)
