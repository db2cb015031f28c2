using System.Globalization;

namespace FailoverHub.Bgp.Messages;

// Error code and subcode of a NOTIFICATION, with the names that operators find in other routers' logs
// (RFC 4271 4.5, RFC 4486, RFC 5492, RFC 6608, RFC 7313, RFC 8538, RFC 9384, RFC 9687). Those that the code speaks of are the fields.
internal readonly record struct NotificationCode(byte Code, byte Subcode)
{
    public static readonly NotificationCode ConnectionNotSynchronized = new(1, 1);
    public static readonly NotificationCode BadMessageLength = new(1, 2);
    public static readonly NotificationCode BadMessageType = new(1, 3);

    public static readonly NotificationCode OpenUnspecific = new(2, 0);
    public static readonly NotificationCode UnsupportedVersion = new(2, 1);
    public static readonly NotificationCode BadPeerAs = new(2, 2);
    public static readonly NotificationCode BadBgpIdentifier = new(2, 3);
    public static readonly NotificationCode UnsupportedOptionalParameter = new(2, 4);
    public static readonly NotificationCode UnacceptableHoldTime = new(2, 6);
    public static readonly NotificationCode UnsupportedCapability = new(2, 7);

    public static readonly NotificationCode MalformedAttributeList = new(3, 1);
    public static readonly NotificationCode UnrecognizedWellKnownAttribute = new(3, 2);
    public static readonly NotificationCode OptionalAttributeError = new(3, 9);
    public static readonly NotificationCode InvalidNetworkField = new(3, 10);

    public static readonly NotificationCode HoldTimerExpired = new(4, 0);

    public static readonly NotificationCode UnexpectedInOpenSent = new(5, 1);
    public static readonly NotificationCode UnexpectedInOpenConfirm = new(5, 2);
    public static readonly NotificationCode UnexpectedInEstablished = new(5, 3);

    public static readonly NotificationCode MaximumPrefixes = new(6, 1);
    public static readonly NotificationCode AdministrativeShutdown = new(6, 2);
    public static readonly NotificationCode PeerDeconfigured = new(6, 3);
    public static readonly NotificationCode AdministrativeReset = new(6, 4);
    public static readonly NotificationCode ConnectionRejected = new(6, 5);
    public static readonly NotificationCode OtherConfigurationChange = new(6, 6);
    public static readonly NotificationCode ConnectionCollision = new(6, 7);
    public static readonly NotificationCode OutOfResources = new(6, 8);
    public static readonly NotificationCode HardReset = new(6, 9);
    public static readonly NotificationCode BfdDown = new(6, 10);

    public static readonly NotificationCode InvalidRefreshLength = new(7, 1);

    public static readonly NotificationCode SendHoldTimerExpired = new(8, 0);

    // "Cease/Administrative Shutdown"; numbers where there is no name, because a neighbor may be newer than we are.
    public override string ToString()
    {
        var subcode = SubcodeName();
        return subcode.Length == 0 ? CodeName() : CodeName() + "/" + subcode;
    }

    private string CodeName() => Code switch
    {
        1 => "Message Header Error",
        2 => "OPEN Message Error",
        3 => "UPDATE Message Error",
        4 => "Hold Timer Expired",
        5 => "Finite State Machine Error",
        6 => "Cease",
        7 => "ROUTE-REFRESH Message Error",
        8 => "Send Hold Timer Expired",
        _ => "error " + Code.ToString(CultureInfo.InvariantCulture),
    };

    private string SubcodeName() => (Code, Subcode) switch
    {
        (1, 1) => "Connection Not Synchronized",
        (1, 2) => "Bad Message Length",
        (1, 3) => "Bad Message Type",
        (2, 1) => "Unsupported Version Number",
        (2, 2) => "Bad Peer AS",
        (2, 3) => "Bad BGP Identifier",
        (2, 4) => "Unsupported Optional Parameter",
        (2, 5) => "Authentication Failure",
        (2, 6) => "Unacceptable Hold Time",
        (2, 7) => "Unsupported Capability",
        (2, 11) => "Role Mismatch",
        (3, 1) => "Malformed Attribute List",
        (3, 2) => "Unrecognized Well-known Attribute",
        (3, 3) => "Missing Well-known Attribute",
        (3, 4) => "Attribute Flags Error",
        (3, 5) => "Attribute Length Error",
        (3, 6) => "Invalid ORIGIN Attribute",
        (3, 8) => "Invalid NEXT_HOP Attribute",
        (3, 9) => "Optional Attribute Error",
        (3, 10) => "Invalid Network Field",
        (3, 11) => "Malformed AS_PATH",
        (5, 1) => "Unexpected Message in OpenSent State",
        (5, 2) => "Unexpected Message in OpenConfirm State",
        (5, 3) => "Unexpected Message in Established State",
        (6, 1) => "Maximum Number of Prefixes Reached",
        (6, 2) => "Administrative Shutdown",
        (6, 3) => "Peer De-configured",
        (6, 4) => "Administrative Reset",
        (6, 5) => "Connection Rejected",
        (6, 6) => "Other Configuration Change",
        (6, 7) => "Connection Collision Resolution",
        (6, 8) => "Out of Resources",
        (6, 9) => "Hard Reset",
        (6, 10) => "BFD Down",
        (7, 1) => "Invalid Message Length",
        (_, 0) => "",
        _ => "subcode " + Subcode.ToString(CultureInfo.InvariantCulture),
    };
}
