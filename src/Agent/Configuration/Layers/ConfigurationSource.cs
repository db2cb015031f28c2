using System.Collections.Immutable;
using System.CommandLine;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Identity;

namespace FailoverHub.Agent.Configuration.Layers;

/// <summary>What came of reading the configuration.</summary>
/// <param name="Options">Null: there are errors.</param>
/// <param name="Errors">All of them, each a sentence that names its key and says what to do.</param>
/// <param name="File">The file that was read; null: there is none.</param>
/// <param name="Text">Its octets, to see whether it has changed; empty: there is none.</param>
internal sealed record LoadedConfiguration(AgentOptions? Options, ImmutableArray<string> Errors, string? File, ImmutableArray<byte> Text);

/// <summary>Where the configuration comes from; the command line and the environment stay as they were at the start, the file is read each time.</summary>
internal sealed class ConfigurationSource
{
    private readonly RunFlags _flags;
    private readonly ParseResult _commandLine;
    private readonly AgentSurroundings _surroundings;
    private readonly string? _given;
    private UnixFileMode _mode;
    private bool _wasThere;

    /// <param name="flags">That were parsed.</param>
    /// <param name="commandLine">What was typed.</param>
    /// <param name="surroundings">Of the process.</param>
    public ConfigurationSource(RunFlags flags, ParseResult commandLine, AgentSurroundings surroundings)
    {
        _flags = flags;
        _commandLine = commandLine;
        _surroundings = surroundings;
        _given = RunFlags.Value(commandLine, flags.Config)
            ?? surroundings.Variables.FirstOrDefault(variable => variable.Key == EnvironmentLayer.NameOf(flags.Config.Name) && variable.Value.Length > 0).Value;
        File = Path.GetFullPath(_given ?? surroundings.DefaultFile);
    }

    /// <summary>The file, which need not be there unless it was given.</summary>
    public string File { get; }

    /// <summary>What the file held when it was last read; empty: there was none.</summary>
    public ImmutableArray<byte> Text { get; private set; } = [];

    /// <summary>Whether the file holds something else than when it was last read.</summary>
    public bool HasChanged()
    {
        var (text, problem) = ReadFile();
        return problem is not null || !Text.AsSpan().SequenceEqual(text);
    }

    /// <summary>Reads everything. The caller disposes of the keys in the options.</summary>
    public LoadedConfiguration Load()
    {
        var (text, unreadable) = ReadFile();
        Text = text is null ? [] : [.. text];
        if (unreadable is not null)
        {
            return new LoadedConfiguration(null, [unreadable], File, []);
        }

        if (text is null && _wasThere)
        {
            // Nobody means "no neighbors and no checks" by a file that an upgrade or a tool has taken away.
            return new LoadedConfiguration(null, [$"{File}: it is gone; the running configuration stays. Put it back, or restart the agent, which then runs by its flags and its environment alone."], File, []);
        }

        _wasThere |= text is not null;

        var (file, fileErrors) = text is null ? (new ConfigurationFile(), []) : ConfigurationFile.Read(File, text);
        if (file is null)
        {
            return new LoadedConfiguration(null, fileErrors, File, Text);
        }

        var (environment, environmentErrors, warnings) = EnvironmentLayer.Read(_surroundings.Variables, _flags.All);
        var values = new LayeredValues(_commandLine, environment, file.Settings, text is not null);
        var raw = _flags.Collect(values);
        var (joined, joinProblem) = new IdentityStore(AgentOptionsReader.StateDirectory(raw.State)).Load();
        var (options, errors) = AgentOptionsReader.Read(raw, file, _surroundings.HostName, joined);
        errors = [.. _commandLine.Errors.Select(error => error.Message), .. environmentErrors, .. fileErrors, .. errors];
        if (!errors.IsEmpty)
        {
            options?.Protocol.Authentication?.Dispose();
            options = null;
        }

        if (text is not null && (_mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
        {
            warnings = warnings.Add($"{File} can be written by others than its owner (mode {Convert.ToString((int)_mode, 8)}): whoever writes it decides what this agent announces and which commands it runs; chmod 644 '{File}'");
        }

        if (joinProblem is not null)
        {
            // No error: the hub is never needed for an address to work.
            warnings = warnings.Add($"this node has joined a hub and cannot use that: {joinProblem}");
        }

        return new LoadedConfiguration(options is null ? null : options with { JoinProblem = joinProblem, Warnings = options.Warnings.AddRange(warnings) }, errors, text is null ? null : File, Text);
    }

    /// <summary>The flags as they can be read, without a word about what cannot: for whoever only asks a running agent.</summary>
    public LayeredValues ReadValues()
    {
        var (text, _) = ReadFile();
        var file = text is null ? null : ConfigurationFile.Read(File, text).File;
        return new LayeredValues(
            _commandLine,
            EnvironmentLayer.Read(_surroundings.Variables, _flags.All).Settings,
            file?.Settings ?? ImmutableDictionary<string, GivenSetting>.Empty,
            usesFile: file is not null);
    }

    // No text and no problem: there is none, and none is needed.
    private (byte[]? Text, string? Problem) ReadFile()
    {
        try
        {
            using var stream = new FileStream(File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            _mode = System.IO.File.GetUnixFileMode(stream.SafeFileHandle);
            var buffer = new byte[Math.Min(stream.Length, ConfigurationFile.Largest) + 1];
            var length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            return length > ConfigurationFile.Largest
                ? (null, $"{File}: the file has more than {ConfigurationFile.Largest} octets and cannot be a configuration; name another one with --config.")
                : (buffer[..length], null);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException && _given is null)
        {
            return (null, null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return (null, $"{File}: the file cannot be read: {exception.Message.TrimEnd('.')}; name another one with --config, or give this user the right to read it.");
        }
    }
}

/// <summary>What is around the process, as far as its configuration depends on it.</summary>
/// <param name="HostName">Name of the node unless one is given.</param>
/// <param name="Variables">The environment.</param>
/// <param name="DefaultFile">Read when no other is given, if it is there.</param>
internal sealed record AgentSurroundings(string HostName, ImmutableArray<KeyValuePair<string, string>> Variables, string DefaultFile = ConfigurationFile.DefaultPath)
{
    /// <summary>A line of standard input; null: there is none.</summary>
    public Func<string?> ReadLine { get; init; } = static () => null;

    /// <summary>Those of this process.</summary>
    public static AgentSurroundings Current() => new(
        Environment.MachineName,
        [.. Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().Select(entry => KeyValuePair.Create((string)entry.Key, (string?)entry.Value ?? ""))])
    {
        ReadLine = Console.In.ReadLine,
    };
}
