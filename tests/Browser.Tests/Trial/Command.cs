using System.Diagnostics;

namespace FailoverHub.Browser.Tests.Trial;

/// <summary>Runs a command to its end.</summary>
internal static class Command
{
    /// <returns>Its standard output.</returns>
    /// <exception cref="InvalidOperationException">It failed; with everything it said.</exception>
    public static async Task<string> RunAsync(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, CancellationToken cancelled)
    {
        using var process = Process.Start(Describe(file, arguments, environment))!;
        var output = process.StandardOutput.ReadToEndAsync(cancelled);
        var error = process.StandardError.ReadToEndAsync(cancelled);
        await process.WaitForExitAsync(cancelled);
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"{file} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await error}{await output}");
    }

    public static ProcessStartInfo Describe(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Places.Root,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }
}
