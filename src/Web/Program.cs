using FailoverHub.Web.Configuration;

return await HubCommandLine.Build(Console.Out, Console.Error).Parse(args).InvokeAsync();
