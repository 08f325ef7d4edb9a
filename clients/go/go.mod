module laneway.example/client

go 1.21
