using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Platform.Journaling;

/// <summary>How far the hub has acknowledged the journal of each boot, in <c>acknowledged.json</c>. Guarded by whoever owns it.</summary>
/// <param name="file">Its path.</param>
/// <param name="logger">Of the journal.</param>
internal sealed partial class AcknowledgedMarks(string file, ILogger logger)
{
    private readonly Dictionary<string, ulong> _marks = Read(file, logger);

    /// <summary>The last entry of that boot that the hub has for good; 0: none.</summary>
    public ulong Of(string bootId) => _marks.GetValueOrDefault(bootId);

    /// <summary>Keeps a mark, and of the others those that are still of use.</summary>
    public void Set(string bootId, ulong sequence, Func<string, bool> isOfUse)
    {
        _marks[bootId] = sequence;
        foreach (var other in _marks.Keys.Where(other => other != bootId && !isOfUse(other)).ToList())
        {
            _marks.Remove(other);
        }

        try
        {
            AtomicFile.Write(file, JsonSerializer.SerializeToUtf8Bytes(_marks, StoredJson.Default.DictionaryStringUInt64), durable: false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            CannotAcknowledge(logger, exception.Message);
        }
    }

    private static Dictionary<string, ulong> Read(string file, ILogger logger)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), StoredJson.Default.DictionaryStringUInt64) ?? [];
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            // The hub knows entries by boot and sequence: sending some again is harmless.
            AcknowledgementsDamaged(logger, exception.Message);
            return [];
        }
    }

    [LoggerMessage(EventId = 4, Level = LogLevel.Warning, Message = "The marks of the hub's acknowledgements are damaged, some entries are sent again: {Problem}")]
    private static partial void AcknowledgementsDamaged(ILogger logger, string problem);

    [LoggerMessage(EventId = 5, Level = LogLevel.Warning, Message = "An acknowledgement cannot be kept, some entries are sent again after a restart: {Problem}")]
    private static partial void CannotAcknowledge(ILogger logger, string problem);
}
