using FailoverHub.Agent;
using FailoverHub.Agent.Configuration;

return new AgentCommandLine().Read(args, Environment.MachineName, Console.Out, Console.Error) switch
{
    CommandLineRequest.Run(var options) => await AgentProcess.RunAsync(options, Console.Error),
    CommandLineRequest.Exit(var code) => code,
    _ => throw new InvalidOperationException("The family of requests is closed."),
};
