. /etc/os-release
echo "$PRETTY_NAME, $DEBIAN_FRONTEND"
