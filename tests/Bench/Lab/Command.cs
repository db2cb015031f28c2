using System.Diagnostics;

namespace FailoverHub.Bench.Lab;

/// <summary>Runs a program to its end.</summary>
internal static class Command
{
    /// <returns>What it wrote.</returns>
    /// <exception cref="InvalidOperationException">It ended with something else than 0.</exception>
    public static async Task<string> RunAsync(IReadOnlyList<string> command, CancellationToken cancellation)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var errors = process.StandardError.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"'{string.Join(' ', command)}' ended with {process.ExitCode}: {(await errors).Trim()}");
    }
}
