using FailoverHub.Agent;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Configuration.Layers;
using FailoverHub.Agent.Control;
using FailoverHub.Agent.Doctor;
using FailoverHub.Agent.Joining;

return new AgentCommandLine().Read(args, AgentSurroundings.Current(), Console.Out, Console.Error) switch
{
    CommandLineRequest.Run(var options, var source) => await AgentProcess.RunAsync(options, source, Console.Error),
    CommandLineRequest.Ask(var socket, var request, var json) => await new ControlClient(TimeProvider.System).RunAsync(socket, request, json, Console.Out, Console.Error),
    CommandLineRequest.Examine(var options, var doctor) => await DoctorCommand.RunAsync(options, doctor, Console.Out),
    CommandLineRequest.Join(var options) => await new JoinCommand(options, TimeProvider.System, Console.Out, Console.Error).RunAsync(CancellationToken.None),
    CommandLineRequest.Exit(var code) => code,
    _ => throw new InvalidOperationException("The family of requests is closed."),
};
