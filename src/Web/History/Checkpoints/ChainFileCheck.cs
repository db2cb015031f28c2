using System.Runtime.CompilerServices;
using System.Text;

namespace FailoverHub.Web.History.Checkpoints;

/// <summary>What a check of a file found.</summary>
/// <param name="Result">About the chain; null: it is no such file.</param>
/// <param name="NotAnExport">Why not, as a sentence; null: it is one.</param>
internal sealed record ChainFileResult(AuditVerification? Result, string? NotAnExport)
{
    public static ChainFileResult No(string why) => new(null, why);
}

/// <summary>
/// Checks an exported audit by itself, without a database or a hub: the chain, gaps, signatures, that the file is whole, and that it still has
/// what earlier exports of the same hub had signed. In constant memory.
/// </summary>
internal static class ChainFileCheck
{
    // The longest entry that the hub writes has two documents of a million characters, each at most six as JSON.
    private const int LongestLine = 16 * 1024 * 1024;

    /// <param name="file">The export.</param>
    /// <param name="trusted">Ids of the keys that may have signed; null: any.</param>
    /// <param name="earlier">Exports that were made before.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<ChainFileResult> CheckAsync(Stream file, IReadOnlySet<string>? trusted, IReadOnlyList<Stream> earlier, CancellationToken cancellationToken)
    {
        var verifier = new AuditVerifier(trusted);
        foreach (Stream old in earlier)
        {
            if (await ExpectAsync(old, verifier, cancellationToken) is { } useless)
            {
                return ChainFileResult.No(useless);
            }
        }

        return await CheckAsync(file, verifier, cancellationToken);
    }

    // Null: the verifier knows what this earlier export has signed; else why it is of no use. One that shows nothing must not look like one that agrees.
    private static async Task<string?> ExpectAsync(Stream earlier, AuditVerifier verifier, CancellationToken cancellationToken)
    {
        long number = 0;
        bool signed = false;
        await foreach (string text in LinesAsync(earlier, cancellationToken))
        {
            number++;
            ChainLine? line = ChainFile.Parse(text);
            if (number == 1 && !IsOurs(line))
            {
                return "An earlier file is no export of a hub's audit.";
            }

            if (line is CheckpointLine checkpoint && ChainFile.ToCheckpoint(checkpoint) is { } known)
            {
                verifier.Expect(known);
                signed = true;
            }
            else if (line is null or CheckpointLine)
            {
                return $"Line {number} of an earlier file is no line of an export: it was damaged or put in, and what else is not there nobody knows. Give another one, or leave it out.";
            }
        }

        return signed ? null : "An earlier file has no checkpoint in it, so it shows nothing: give one that has, or leave it out.";
    }

    private static async Task<ChainFileResult> CheckAsync(Stream file, AuditVerifier verifier, CancellationToken cancellationToken)
    {
        long number = 0;
        EndLine? end = null;
        await foreach (string text in LinesAsync(file, cancellationToken))
        {
            number++;
            ChainLine? line = ChainFile.Parse(text);
            if (number == 1)
            {
                if (!IsOurs(line))
                {
                    return ChainFileResult.No(line is HeaderLine header
                        ? $"The file is of format '{header.Format}', version {header.Version}; this program knows '{ChainFile.Format}', version {ChainFile.Version}."
                        : "The file is no export of a hub's audit: its first line is no header.");
                }
            }
            else if (end is not null)
            {
                verifier.Problem(verifier.LastId, $"is followed by line {number}, behind the end of the export: something was put in");
                break;
            }
            else
            {
                end = Take(line, number, verifier);
            }
        }

        if (number == 0)
        {
            return ChainFileResult.No("The file is empty.");
        }

        return new ChainFileResult(Finish(end, verifier), null);
    }

    private static EndLine? Take(ChainLine? line, long number, AuditVerifier verifier)
    {
        switch (line)
        {
            case EntryLine entry:
                verifier.Add(ChainFile.ToEntity(entry));
                return null;
            case CheckpointLine checkpoint when ChainFile.ToCheckpoint(checkpoint) is { } signed:
                verifier.Add(signed);
                return null;
            case EndLine end:
                return end;
            default:
                verifier.Problem(verifier.LastId, $"is followed by line {number}, which is no line of an export: it was damaged or put in");
                return null;
        }
    }

    private static AuditVerification Finish(EndLine? end, AuditVerifier verifier)
    {
        if (end is null)
        {
            verifier.Problem(verifier.LastId, "is the last one in the file, and the end of the export is missing: the file was cut short");
        }
        else if (end.Entries != verifier.Entries || end.Checkpoints != verifier.Checkpoints || end.HeadHash != verifier.LastHash)
        {
            verifier.Problem(verifier.LastId, $"is the last one in the file, with {verifier.Entries} entries and {verifier.Checkpoints} checkpoints; {end.Entries} and {end.Checkpoints} were exported");
        }

        return verifier.Finish();
    }

    private static bool IsOurs(ChainLine? line) => line is HeaderLine { Format: ChainFile.Format, Version: ChainFile.Version };

    // A line without end must not take all memory: what is too long is no line of ours, and is told so.
    private static async IAsyncEnumerable<string> LinesAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(stream, new UTF8Encoding(false), detectEncodingFromByteOrderMarks: false, leaveOpen: true);
        var line = new StringBuilder();
        char[] buffer = new char[64 * 1024];
        for (int count = await reader.ReadAsync(buffer, cancellationToken); count > 0; count = await reader.ReadAsync(buffer, cancellationToken))
        {
            int begin = 0;
            for (int at = 0; at < count; at++)
            {
                if (buffer[at] == '\n')
                {
                    yield return Append(line, buffer, begin, at).ToString();
                    line.Clear();
                    begin = at + 1;
                }
            }

            Append(line, buffer, begin, count);
        }

        if (line.Length > 0)
        {
            yield return line.ToString();
        }
    }

    private static StringBuilder Append(StringBuilder line, char[] buffer, int begin, int end) =>
        line.Length + end - begin <= LongestLine ? line.Append(buffer, begin, end - begin) : line;
}
