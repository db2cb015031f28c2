using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Configuration.CommandLine;

namespace FailoverHub.Agent.Configuration;

/// <summary>The flags about the addresses of the interfaces.</summary>
internal static class AddressOptionsReader
{
    // IFNAMSIZ of the kernel, less the zero behind the name.
    private const int LongestInterfaceName = 15;

    public static AddressOptions Read(RawArguments raw, FlagErrors errors)
    {
        if (raw.Addresses is not (null or "watched" or "managed"))
        {
            errors.Add($"--addresses: '{raw.Addresses}' is neither; give watched or managed.");
        }

        var mode = raw.Addresses == "managed" ? AddressMode.Managed : AddressMode.Watched;
        if (raw.AddressDevice is { } device)
        {
            if (!IsInterfaceName(device))
            {
                errors.Add($"--address-device: '{device}' cannot be the name of an interface; give one of 1 to {LongestInterfaceName} characters, without blanks and slashes.");
            }
            else if (mode == AddressMode.Watched)
            {
                errors.Add($"--address-device: nothing is put on {device} while the addresses are only watched; give --addresses managed as well, or leave it out.");
            }
        }

        return new AddressOptions { Mode = mode, Device = raw.AddressDevice };
    }

    /// <summary>What the kernel takes as the name of an interface.</summary>
    public static bool IsInterfaceName(string name) =>
        name.Length is > 0 and <= LongestInterfaceName && name is not ("." or "..") && name.All(c => char.IsAscii(c) && !char.IsControl(c) && c is not (' ' or '/' or ':'));
}
