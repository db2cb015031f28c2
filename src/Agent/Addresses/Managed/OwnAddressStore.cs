using System.Net;
using System.Text.Json;
using FailoverHub.Agent.Platform;

namespace FailoverHub.Agent.Addresses.Managed;

/// <summary>
/// Which addresses the agent has put on the interface itself, on disk, so that it knows them again after it was killed. What another start of
/// the machine or another network namespace had is none of them: addresses that were added by hand do not outlive these.
/// </summary>
/// <param name="path">Of <c>addresses.json</c>.</param>
/// <param name="place">Which start of the machine and which namespace this is.</param>
internal sealed class OwnAddressStore(string path, string place)
{
    /// <summary>In a state directory, for where this process is.</summary>
    public static OwnAddressStore In(string directory) => new(Path.Combine(directory, "addresses.json"), ThisPlace());

    /// <summary>Those of an interface. A file that cannot be read has none.</summary>
    public IReadOnlySet<SharedAddress> Load(string device)
    {
        var own = new HashSet<SharedAddress>();
        try
        {
            if (JsonSerializer.Deserialize(File.ReadAllBytes(path), StoredJson.Default.StoredOwnAddresses) is { } stored && stored.Place == place && stored.Device == device)
            {
                foreach (var text in stored.Addresses ?? [])
                {
                    if (Parse(text) is { } address)
                    {
                        own.Add(address);
                    }
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            // None, or damaged: then what is on the interface counts as somebody else's and is left there.
            return own;
        }

        return own;
    }

    /// <summary>Keeps them, against the end of this process. A power cut takes the addresses with it, so the file need not outlive one.</summary>
    /// <returns>Null; or why not.</returns>
    public string? Save(string device, IEnumerable<SharedAddress> addresses)
    {
        try
        {
            var stored = new StoredOwnAddresses(place, device, [.. addresses.Select(address => address.ToString()).Order(StringComparer.Ordinal)]);
            return AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(stored, StoredJson.Default.StoredOwnAddresses), durable: false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }

    private static SharedAddress? Parse(string? text) =>
        text?.Split('/') is [var ip, var length] && IPAddress.TryParse(ip, out var address) && int.TryParse(length, out var number) ? new SharedAddress(address, number) : null;

    private static string ThisPlace()
    {
        try
        {
            return $"{File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()} {new FileInfo("/proc/self/ns/net").LinkTarget}";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A place that no other process is at: nothing is known again, and nobody's address is removed.
            return Guid.NewGuid().ToString();
        }
    }
}
