using System.Runtime.InteropServices;

namespace FailoverHub.Interop.Tests.Discovery;

/// <summary>A connection as NetworkManager's own library reads it from a file, which needs no running NetworkManager.</summary>
/// <param name="Name">Of the connection.</param>
/// <param name="Kind">Of the interface.</param>
/// <param name="Device">The interface.</param>
/// <param name="Addresses">IPv4 before IPv6, with their lengths.</param>
/// <param name="Warnings">What it found to say about the file.</param>
internal sealed partial record NetworkManagerKeyfile(string Name, string Kind, string Device, IReadOnlyList<string> Addresses, IReadOnlyList<string> Warnings)
{
    private const string Library = "libnm.so.0";

    /// <exception cref="InvalidOperationException">It cannot be read, or is no connection that could be used.</exception>
    public static NetworkManagerKeyfile Read(string path)
    {
        var file = NewKeyFile();
        nint connection = 0;
        try
        {
            Check(LoadKeyFile(file, path, 0, out var error) != 0, error);
            List<string> warnings = [];
            Handler handler = (_, _, _, data, _) =>
            {
                DescribeWarning(data, out var words, out _);
                warnings.Add(Marshal.PtrToStringUTF8(words)!);
                return 1;
            };
            connection = ReadKeyFile(file, "/etc/NetworkManager/system-connections", 0, handler, 0, out error);
            GC.KeepAlive(handler);
            Check(connection != 0, error);
            Check(Normalize(connection, 0, out _, out error) != 0, error);
            return new NetworkManagerKeyfile(
                Marshal.PtrToStringUTF8(NameOf(connection))!,
                Marshal.PtrToStringUTF8(KindOf(connection))!,
                Marshal.PtrToStringUTF8(DeviceOf(connection))!,
                [.. AddressesOf(Ipv4Of(connection)), .. AddressesOf(Ipv6Of(connection))],
                warnings);
        }
        finally
        {
            if (connection != 0)
            {
                Release(connection);
            }

            FreeKeyFile(file);
        }
    }

    private static IEnumerable<string> AddressesOf(nint setting)
    {
        for (uint index = 0; index < CountOf(setting); index++)
        {
            var address = AddressAt(setting, (int)index);
            yield return $"{Marshal.PtrToStringUTF8(TextOf(address))}/{LengthOf(address)}";
        }
    }

    // GError: domain, code, message.
    private static void Check(bool isWell, nint error)
    {
        if (!isWell)
        {
            throw new InvalidOperationException(error == 0 ? "It is refused without a word." : Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(error, 8)));
        }
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int Handler(nint file, nint connection, int kind, nint data, nint user);

    [LibraryImport("libglib-2.0.so.0", EntryPoint = "g_key_file_new")]
    private static partial nint NewKeyFile();

    [LibraryImport("libglib-2.0.so.0", EntryPoint = "g_key_file_free")]
    private static partial void FreeKeyFile(nint file);

    [LibraryImport("libglib-2.0.so.0", EntryPoint = "g_key_file_load_from_file", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LoadKeyFile(nint file, string path, int flags, out nint error);

    [LibraryImport("libgobject-2.0.so.0", EntryPoint = "g_object_unref")]
    private static partial void Release(nint thing);

    [LibraryImport(Library, EntryPoint = "nm_keyfile_read", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint ReadKeyFile(nint file, string folder, int flags, Handler handler, nint user, out nint error);

    [LibraryImport(Library, EntryPoint = "nm_keyfile_handler_data_warn_get")]
    private static partial void DescribeWarning(nint data, out nint message, out int severity);

    [LibraryImport(Library, EntryPoint = "nm_connection_normalize")]
    private static partial int Normalize(nint connection, nint parameters, out int modified, out nint error);

    [LibraryImport(Library, EntryPoint = "nm_connection_get_id")]
    private static partial nint NameOf(nint connection);

    [LibraryImport(Library, EntryPoint = "nm_connection_get_connection_type")]
    private static partial nint KindOf(nint connection);

    [LibraryImport(Library, EntryPoint = "nm_connection_get_interface_name")]
    private static partial nint DeviceOf(nint connection);

    [LibraryImport(Library, EntryPoint = "nm_connection_get_setting_ip4_config")]
    private static partial nint Ipv4Of(nint connection);

    [LibraryImport(Library, EntryPoint = "nm_connection_get_setting_ip6_config")]
    private static partial nint Ipv6Of(nint connection);

    [LibraryImport(Library, EntryPoint = "nm_setting_ip_config_get_num_addresses")]
    private static partial uint CountOf(nint setting);

    [LibraryImport(Library, EntryPoint = "nm_setting_ip_config_get_address")]
    private static partial nint AddressAt(nint setting, int index);

    [LibraryImport(Library, EntryPoint = "nm_ip_address_get_address")]
    private static partial nint TextOf(nint address);

    [LibraryImport(Library, EntryPoint = "nm_ip_address_get_prefix")]
    private static partial uint LengthOf(nint address);
}
