using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Configuration.Layers;

namespace FailoverHub.Agent.Tests.Configuration.Layers;

/// <summary>Configurations of three layers, read as 'run' reads them.</summary>
internal static class ConfigurationText
{
    public static AgentOptions Accept(string? file, string line = "", params (string Name, string Value)[] variables)
    {
        var (request, error) = Read(file, line, variables);
        Assert.Equal("", error);
        return Assert.IsType<CommandLineRequest.Run>(request).Options;
    }

    /// <summary>Its errors, a line each, with the file's name as <c>FILE</c>.</summary>
    public static string[] Refuse(string? file, string line = "", params (string Name, string Value)[] variables)
    {
        var (request, error) = Read(file, line, variables);
        Assert.Equal(new CommandLineRequest.Exit(AgentCommandLine.UsageError), request);
        return [.. error.Split('\n').Where(text => text.StartsWith("error: ", StringComparison.Ordinal)).Select(text => text["error: ".Length..])];
    }

    public static (CommandLineRequest Request, string Error) Read(string? file, string line, params (string Name, string Value)[] variables)
    {
        using var directory = new TemporaryDirectory();
        var path = directory.At("agent.json");
        if (file is not null)
        {
            File.WriteAllText(path, file);
        }

        var error = new StringWriter();
        var surroundings = new AgentSurroundings("host-1", [.. variables.Select(variable => KeyValuePair.Create(variable.Name, variable.Value))], path);
        var request = new AgentCommandLine().Read(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), surroundings, TextWriter.Null, error);
        return (request, error.ToString().Replace(path, "FILE", StringComparison.Ordinal));
    }
}
